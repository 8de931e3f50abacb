// SPDX-License-Identifier: BSD-2-Clause
// Takes pages out of a ring, beside its writer or after it died. One thread, any process that has the memory. Believes
// nothing that stands there but counts and times.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/ring_layout.hpp"

namespace vif::trace {

// Which pages to take.
enum class Take : std::uint8_t {
  whole,       // that nothing is added to any more
  everything,  // also what stands in the page that is being written; what is added to it later comes as a page again
};

class VIF_API RingReader {
 public:
  // EINVAL: no ring of this version, or not as long as it says. Borrowed.
  static Result<RingReader> open(MutBytes memory);

  // As the kernel's tools expect them: bytes committed, in front of them what was lost (ring_layout.hpp).
  using Page = std::array<std::byte, kPageBytes>;
  // The next page with a record. False: none just now.
  bool next(Page& into, Take take);

  std::int32_t thread_id() const { return thread_id_; }
  // So many records were taken, and so many that are not in the ring any more were lost before them.
  std::uint64_t taken() const { return taken_; }
  // All that were lost so far, those at the end and the ones refused included. Exact when the writer rests and next()
  // has returned false.
  std::uint64_t lost() const;

 private:
  RingReader(MutBytes memory, std::size_t pages, WhenFull when_full);

  bool copy(Page& into, std::uint64_t& first_event, std::uint64_t& lost);
  void finish(Page& into, std::uint64_t first_event);

  RingView view_;
  WhenFull when_full_;
  std::int32_t thread_id_;
  std::uint64_t number_ = 0;       // of the page to take next
  std::size_t consumed_ = 0;       // of its bytes, taken earlier
  std::uint64_t consumed_ns_ = 0;  // when the last record of them was
  std::uint64_t expected_ = 0;     // number of the event that comes next unless some were lost
  std::uint64_t taken_ = 0, missed_ = 0;
  std::uint64_t lost_before_ = 0;  // RingHeader::lost, as far as it is in missed_
};

}  // namespace vif::trace
