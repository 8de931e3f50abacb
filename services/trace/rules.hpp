// SPDX-License-Identifier: BSD-2-Clause
// Strict or as the kernel does it. The mode is chosen when a Tracing is made; only rules.cpp reads it, and says there
// what differs. A value, any thread.
#pragma once

#include <cstdint>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/event_format.hpp"

namespace vif::trace {

enum class Mode : std::uint8_t {
  strict,  // refuse what hides a mistake
  compat,  // what user_events did up to Linux 6.3, surprises included
};

class VIF_API Rules {
 public:
  explicit Rules(Mode mode) : mode_(mode) {}

  // Whether an event may have these names. Strict, EINVAL: an empty name, '/' or a control character in one, two
  // fields of one name.
  Status check_names(const EventFormat& format) const;
  // Whether registering `asked` gives `known`, which has the same name. Strict and in the later era, EADDRINUSE: the
  // fields differ.
  Status check_fields(const EventFormat& known, const EventFormat& asked, Era era) const;
  // What a write to a disabled event returns: EBADF (strict), or 0 as if it had been recorded.
  int disabled_write() const;
  // What the status text calls the greatest number of events: 32767, which is true, or the kernel's 32768.
  unsigned status_max() const;

 private:
  Mode mode_;
};

}  // namespace vif::trace
