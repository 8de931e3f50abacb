// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/sim_medium.hpp"

#include <algorithm>

namespace vif::host::sim {

Error SimStore::failure() const { return fail(fail_number_, "the simulated medium fails here"); }

Status SimStore::read(std::uint64_t offset, MutBytes into) {
  if (fails()) return failure();
  return fwu::MemoryRange(medium_.disk).read(offset, into);
}

Status SimStore::write(std::uint64_t offset, Bytes bytes) {
  const bool failing = fails();
  if (failing) bytes = bytes.first(std::min(fail_bytes_, bytes.size()));
  if (offset > medium_.disk.size() || bytes.size() > medium_.disk.size() - offset) {
    return fail(std::errc::no_space_on_device, "the simulated medium ends here");
  }
  std::copy(bytes.begin(), bytes.end(), medium_.disk.begin() + static_cast<std::ptrdiff_t>(offset));
  log_.push_back({SimWrite::Kind::write, offset, {bytes.begin(), bytes.end()}, {}});
  return failing ? Status(failure()) : Status();
}

Status SimStore::flush() {
  if (fails()) return failure();
  log_.push_back({SimWrite::Kind::flush, 0, {}, {}});
  return {};
}

Result<std::optional<fwu::Variable>> SimStore::get(const fwu::Guid& space, const std::string& name) {
  if (fails()) return failure();
  const auto found = medium_.variables.find({space, name});
  return found == medium_.variables.end() ? std::optional<fwu::Variable>() : std::optional(found->second);
}

Status SimStore::set(const fwu::Variable& variable) {
  if (fails()) return failure();
  medium_.variables[{variable.space, variable.name}] = variable;
  log_.push_back({SimWrite::Kind::set, 0, {}, variable});
  return {};
}

Status SimStore::erase(const fwu::Guid& space, const std::string& name) {
  if (fails()) return failure();
  if (medium_.variables.erase({space, name}) == 0) return {};
  log_.push_back({SimWrite::Kind::erase, 0, {}, {space, name, 0, {}}});
  return {};
}

}  // namespace vif::host::sim
