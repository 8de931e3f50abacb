// SPDX-License-Identifier: BSD-2-Clause
// `mem:NAME`: an Ethernet segment in memory. Every frame sent into it reaches every other port of that name, in any
// domain of the Instance; never the sender's own. A receiver that does not keep up overruns, and counts.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class MemSegment;

// The segments of one Instance, by name; a segment lives as long as it has a port. Any thread.
class VIF_API MemSegments {
 public:
  // The clock stamps frames. It outlives the segments, and they outlive the ports.
  explicit MemSegments(ClockPort& clock);
  ~MemSegments();

  // EINVAL: no name, or an option.
  static Status check(const drv::Linkstr& linkstr);
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner);

 private:
  friend class MemLink;

  void close(MemSegment& segment);

  ClockPort& clock_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<MemSegment>> segments_;  // under mutex_
};

}  // namespace vif::host
