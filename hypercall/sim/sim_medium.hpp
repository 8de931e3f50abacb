// SPDX-License-Identifier: BSD-2-Clause
// A medium and a store of variables of the simulated host, for firmware updates: in memory, they write down what
// happens to them, in order, and fail where a test says. crash_states.hpp makes of that what a power cut may leave. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "netstack/base/api.hpp"
#include "services/fwu/device.hpp"

namespace vif::host::sim {

// What would be there after power is off and on again: a value.
struct SimMedium {
  std::vector<std::byte> disk;
  std::map<std::pair<fwu::Guid, std::string>, fwu::Variable> variables;
  bool operator==(const SimMedium&) const = default;
};

struct SimWrite {
  enum class Kind : std::uint8_t { write, flush, set, erase } kind = Kind::flush;
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
  fwu::Variable variable;
};

class VIF_API SimStore final : public fwu::StorePort, public fwu::VariablePort {
 public:
  // Works on `medium`, which outlives it.
  explicit SimStore(SimMedium& medium) : medium_(medium) {}

  // The call of this number from now on (0: the next) fails with `number`; a write has done `bytes` of its bytes by
  // then.
  void fail_call(int call, int number, std::size_t bytes = 0) {
    fail_at_ = calls_ + call, fail_number_ = number, fail_bytes_ = bytes;
  }
  int calls() const { return calls_; }
  const std::vector<SimWrite>& log() const { return log_; }

  std::uint64_t size_bytes() const override { return medium_.disk.size(); }
  Status read(std::uint64_t offset, MutBytes into) override;
  Status write(std::uint64_t offset, Bytes bytes) override;
  Status flush() override;

  Result<std::optional<fwu::Variable>> get(const fwu::Guid& space, const std::string& name) override;
  Status set(const fwu::Variable& variable) override;
  Status erase(const fwu::Guid& space, const std::string& name) override;

 private:
  bool fails() { return calls_++ == fail_at_; }
  Error failure() const;

  SimMedium& medium_;
  std::vector<SimWrite> log_;
  int calls_ = 0, fail_at_ = -1, fail_number_ = 0;
  std::size_t fail_bytes_ = 0;
};

}  // namespace vif::host::sim
