// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/page_events.hpp"

namespace vif::trace {
namespace {

std::uint32_t word(Bytes from, std::size_t offset) { return load<std::uint32_t, std::endian::native>(&from[offset]); }
std::uint64_t two_words(Bytes from, std::size_t at) { return load<std::uint64_t, std::endian::native>(&from[at]); }

}  // namespace

PageEvents::PageEvents(Bytes page) : time_ns_(two_words(page, 0)) {
  const std::uint64_t commit = two_words(page, 8);
  const std::size_t bytes = commit & kCommitBytes;
  const Bytes data = page.subspan(kPageHeaderBytes);
  damaged_ = bytes > data.size();
  if (damaged_) return;
  rest_ = data.first(bytes);
  if ((commit & kCommitMissed) == 0) return;
  const bool stored = (commit & kCommitMissedStored) != 0 && data.size() - bytes >= 8;
  missed_ = stored ? two_words(data, bytes) : 1;  // at least
}

bool PageEvents::stop(bool damaged) {
  damaged_ |= damaged;
  rest_ = {};
  return false;
}

bool PageEvents::next(PageEvent& event) {
  while (!rest_.empty()) {
    if (rest_.size() < 4) return stop(true);
    const std::uint32_t type = word(rest_, 0) & ((1U << kDeltaShift) - 1);
    const std::uint64_t delta = word(rest_, 0) >> kDeltaShift;
    if (type == kTypePadding) return stop(false);  // to the end of the page
    if (rest_.size() < 8) return stop(true);
    if (type == kTypeTimeExtend || type == kTypeTimeStamp) {
      const std::uint64_t time = delta | std::uint64_t{word(rest_, 4)} << kDeltaBits;
      time_ns_ = type == kTypeTimeExtend ? time_ns_ + time : time;
      rest_ = rest_.subspan(8);
      continue;
    }
    const std::size_t header = type == kTypeLong ? 8 : 4;
    const std::size_t bytes = type == kTypeLong ? std::size_t{word(rest_, 4)} - 4 : type * 4;
    if (bytes < 8 || bytes % 4 != 0 || bytes > rest_.size() - header) return stop(true);
    time_ns_ += delta;
    event = {time_ns_, rest_.subspan(header, bytes)};
    rest_ = rest_.subspan(header + bytes);
    return true;
  }
  return false;
}

}  // namespace vif::trace
