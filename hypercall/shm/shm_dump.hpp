// SPDX-License-Identifier: BSD-2-Clause
// What lies in a segment of shm: who is there, or was, and the last frames of each, also when all of them are dead and
// while they go on. Changes nothing, and believes nothing it finds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "virtif/linkstr.hpp"

namespace vif::host {

struct ShmAttacher {
  std::size_t place = 0;
  std::string ifname;         // empty: its predecessors at this place, whose frames are still there
  std::uint64_t process = 0;  // as it knows itself; 0 with an empty name
  bool attached = false;
  std::uint64_t sent_frames = 0;
  std::uint64_t kept_frames = 0;
};

struct ShmFrame {
  std::size_t attacher = 0;  // index into ShmDump::attachers
  std::int64_t timestamp_ns = 0;
  std::vector<std::byte> bytes;
};

struct ShmDump {
  std::string name;
  std::vector<ShmAttacher> attachers;  // by place
  std::vector<ShmFrame> frames;        // by time; of one attacher, as it sent them
};

// Errors: EINVAL not a link string of shm, ENOENT no such segment, EPROTO it cannot be read, the host's (EACCES).
VIF_API Result<ShmDump> dump_shm_segment(const drv::Linkstr& linkstr);

}  // namespace vif::host
