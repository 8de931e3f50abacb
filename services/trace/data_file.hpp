// SPDX-License-Identifier: BSD-2-Clause
// An open user_events_data: registers and removes events of its group, and writes records. Tracing opens it; it must
// close (be destroyed) before the Tracing does, and when nobody writes to it any more. Registering and removing are
// the control side's, one thread at a time; write() is any thread's, each with its own Writer.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "netstack/base/api.hpp"
#include "services/trace/event_slots.hpp"
#include "services/trace/group.hpp"
#include "services/trace/payload.hpp"
#include "services/trace/writer.hpp"

namespace vif::trace {

class VIF_API DataFile {
 public:
  explicit DataFile(Group& group);
  ~DataFile();
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;

  struct Registration {
    std::uint32_t write_index;  // for write(), on this file only
    std::uint32_t status_bit;   // in the group's status page
    UserEvent& event;           // good as long as this file is open
  };
  // Registering again gives the same index. Errors: those of Group::obtain.
  Result<Registration> add(std::string_view command, const Registering& how = {});
  // Errors: those of Group::remove. A file that registered the event uses it: another one has to remove it.
  Status remove(std::string_view name);

  // Gives one record to every probe that wants the event. 0, or
  //   EINVAL  `index` is negative, or the payload is shorter than the event's fields (longer is good: dynamic data)
  //   ENOENT  no such index in this file
  //   EBADF   the event is disabled (strict rules)
  //   EFAULT  the payload could not be read, or its locations are not valid; another probe may have recorded it
  // What a probe had no room for, or its filter refused, is no error. Locks and allocates nothing.
  [[nodiscard]] int write(Writer& writer, std::int32_t index, const Payload& payload) const;

  Group& group() const { return group_; }

 private:
  Group& group_;
  EventSlots slots_;
  std::map<const UserEvent*, std::uint32_t> indices_;
};

}  // namespace vif::trace
