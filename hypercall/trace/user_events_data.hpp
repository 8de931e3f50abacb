// SPDX-License-Identifier: BSD-2-Clause
// Linux's user_events_data, where the kernel has it (CONFIG_USER_EVENTS, 6.4 or later) and lets us.
#pragma once

#include <memory>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/user_events_port.hpp"

namespace vif::host {

class VIF_API UserEventsData final : public trace::UserEventsPort {
 public:
  // Where it is: `tracefs`, when given; else /sys/kernel/tracing, else the first tracefs, else the first debugfs, that
  // is mounted. ENOTSUP: none is; ENOENT: that kernel has no user_events; EACCES: it is for others; else the host's.
  static Result<std::unique_ptr<UserEventsData>> open(const std::string& tracefs = {});

  int ioctl(std::uint64_t request, void* argument) override;
  int write(Bytes record) override;

 private:
  explicit UserEventsData(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace vif::host
