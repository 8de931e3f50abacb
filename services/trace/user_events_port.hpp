// SPDX-License-Identifier: BSD-2-Clause
// The need for the kernel's own user_events: an open user_events_data. hypercall/trace/user_events_data.hpp is Linux's,
// hypercall/sim/sim_user_events.hpp that of the simulated host.
#pragma once

#include <cstdint>

#include "netstack/base/bytes.hpp"

namespace vif::trace {

class UserEventsPort {
 public:
  virtual ~UserEventsPort() = default;
  // As ioctl(2): 0 or a positive errno. The control side. A registered word is the kernel's to set, from any thread,
  // until it is unregistered or the port is gone.
  virtual int ioctl(std::uint64_t request, void* argument) = 0;
  // As write(2) of an index and a payload: 0 or a positive errno. Any thread.
  virtual int write(Bytes record) = 0;
};

}  // namespace vif::trace
