// SPDX-License-Identifier: BSD-2-Clause
// An interface's counters. The domain's thread counts; every thread may read.
//
// Two sums always hold, frame by frame:
//   received by the backend  = ipackets + drops other_linktype .. no_mbuf
//   handed to the interface  = opackets - ocut + drops queue_full .. tx_error + frames still queued
// What is dropped above the driver (promisc_only, unknown_type) is part of ipackets. A super-frame is one frame, but
// for one that is cut for a link that does not take it whole: each segment that the link takes is one, as it is what
// the link may lose, and ocut counts all of them but the one that was the last.
#pragma once

#include <array>
#include <atomic>

#include "netstack/base/api.hpp"
#include "netstack/base/counter.hpp"
#include "netstack/base/drop_reason.hpp"
#include "netstack/base/ports.hpp"

namespace vif::net {

// A reading: BSD's if_data, plus what it lacks.
struct VIF_API IfData {
  std::uint64_t ipackets, ibytes, imcasts, isegments;  // passed up; segments count a super-frame's parts
  std::uint64_t opackets, obytes, omcasts, osegments;  // taken by the backend and, of packets, not failed later
  std::uint64_t ocut;                                  // what cutting super-frames added to opackets
  std::uint64_t ierrors;                               // rx_malformed + too_short + too_long
  std::uint64_t iqdrops;                               // rx_overrun + rx_impaired + no_mbuf
  std::uint64_t noproto;                               // bad_length + unknown_type
  std::uint64_t oerrors;                               // tx_too_short .. tx_error
  std::uint64_t oqdrops;                               // queue_full
  std::uint64_t collisions;                            // always 0
  std::uint64_t linearised;  // frames copied into one piece because the backend takes fewer slices
  std::array<std::uint64_t, kDropReasons> drops;
  Time lastchange;  // when the link or the flags last changed, or the counters were zeroed

  std::uint64_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }
  std::uint64_t received() const;  // by the backend
  std::uint64_t offered() const;   // to the backend, without what is still queued
};

class VIF_API IfCounters {
 public:
  Counter ipackets, ibytes, imcasts, isegments;
  Counter otaken, obytes, omcasts, osegments, ocut;
  Counter linearised;

  void drop(DropReason reason, std::uint64_t frames = 1) { drops_[static_cast<std::size_t>(reason)].add(frames); }

  void changed(Time now) { lastchange_ns_.store(now.count(), std::memory_order_relaxed); }

  IfData read() const;
  IfData take(Time now);  // SIOCZIFDATA: reads, then zeroes and sets lastchange; the domain's thread

 private:
  std::array<Counter, kDropReasons> drops_;
  std::atomic<Time::rep> lastchange_ns_{0};
};

}  // namespace vif::net
