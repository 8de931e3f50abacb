// SPDX-License-Identifier: BSD-2-Clause
// The records in a sub-buffer: the one reader of the format that ring_layout.hpp describes. Believes nothing: pages may
// come from a process that died amidst, or wrote nonsense. A value over borrowed bytes, any thread.
#pragma once

#include <cstdint>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "services/trace/ring_layout.hpp"

namespace vif::trace {

struct PageEvent {
  std::uint64_t time_ns;
  Bytes record;  // 8 bytes of header and the payload, with up to 3 bytes of padding
};

class VIF_API PageEvents {
 public:
  // `page`: kPageBytes, as in the ring or as RingReader hands it on.
  explicit PageEvents(Bytes page);

  // False: that was the last, or the rest is damaged().
  bool next(PageEvent& event);
  bool damaged() const { return damaged_; }
  // Records lost before this page; of pages that RingReader handed on.
  std::uint64_t missed() const { return missed_; }
  std::uint64_t time_ns() const { return time_ns_; }  // of the last record, or of the page

 private:
  bool stop(bool damaged);

  Bytes rest_;
  std::uint64_t time_ns_;
  std::uint64_t missed_ = 0;
  bool damaged_ = false;
};

}  // namespace vif::trace
