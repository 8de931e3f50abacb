// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/data_file.hpp"

#include <bit>
#include <cerrno>

namespace vif::trace {

DataFile::DataFile(Group& group) : group_(group) { group_.handles().add(); }

DataFile::~DataFile() {
  for (std::uint32_t index = 0; index < slots_.count(); ++index) group_.release(slots_[index]);
  group_.handles().drop();
}

Result<DataFile::Registration> DataFile::add(std::string_view command, const Registering& how) {
  Result<UserEvent*> obtained = group_.obtain(command, how);
  if (!obtained) return std::move(obtained).error();
  UserEvent& event = **obtained;
  const auto [known, is_new] = indices_.try_emplace(&event, slots_.count());
  if (is_new) slots_.add(event);
  else group_.release(event);  // one use a file
  return Registration{known->second, event.index, event};
}

Status DataFile::remove(std::string_view name) { return group_.remove(name); }

int DataFile::write(Writer& writer, std::int32_t index, const Payload& payload) const {
  if (index < 0) return EINVAL;
  if (static_cast<std::uint32_t>(index) >= slots_.count()) return ENOENT;
  const UserEvent& event = slots_[static_cast<std::uint32_t>(index)];
  if (payload.bytes() < event.format.payload_bytes()) return EINVAL;
  std::uint32_t wanted = event.word.load(std::memory_order_acquire);
  if (wanted == 0) return group_.shared().rules.disabled_write();
  const Writer::Section section(writer);
  wanted = event.word.load(std::memory_order_acquire);  // again: what is cleared by now may be going away
  int result = 0;
  for (; wanted != 0; wanted &= wanted - 1) {
    const auto place = static_cast<std::size_t>(std::countr_zero(wanted));
    Probe* const probe = group_.shared().probes[place].load(std::memory_order_acquire);
    if (probe == nullptr) continue;  // it has just gone
    if (const int error = probe->record(writer, event, payload); error != 0) result = error;
  }
  return result;
}

}  // namespace vif::trace
