// SPDX-License-Identifier: BSD-2-Clause
#include "virtif/tx_cutter.hpp"

#include "netstack/ether_demux.hpp"

namespace vif::drv {
namespace {

constexpr std::size_t kPaddingBytesMax = 60;  // as LinkCaps::frame_bytes_min
constexpr std::array<std::byte, kPaddingBytesMax> kZeros{};

// How many pieces of the packet hold the `bytes` at `from`.
std::size_t pieces(net::MbufCursor from, std::size_t bytes) {
  std::size_t count = 0;
  for (; bytes > 0; ++count) bytes -= from.take(bytes).size();
  return count;
}

}  // namespace

bool TxCutter::begin(const net::Mbuf& frame, std::uint32_t mtu_bytes, DropReason& why) {
  why = DropReason::tx_offload;
  if (!segmenter_.open(frame)) return false;
  why = DropReason::tx_too_long;
  if (segmenter_.segment_bytes_max() > net::frame_bytes_max(mtu_bytes, segmenter_.ether_type())) return false;
  taken_ = frames_used_ = 0;
  busy_ = true;
  return true;
}

std::span<const TxFrame> TxCutter::burst() {
  assert(busy_);
  if (taken_ == frames_used_) fill();
  return std::span(frames_).first(frames_used_).subspan(taken_);
}

bool TxCutter::took(std::size_t frames) {
  taken_ += frames;
  busy_ = taken_ < frames_used_ || !segmenter_.done();
  return !busy_;
}

void TxCutter::fill() {
  taken_ = frames_used_ = slices_used_ = storage_used_ = 0;
  while (frames_used_ < kBurstFrames && !segmenter_.done() && add()) continue;
}

// Describes the next segment. False: the burst has no room for it; an empty one has.
bool TxCutter::add() {
  const net::Segmenter::Segment segment = segmenter_.peek();
  const std::size_t bytes = segment.bytes();
  const std::size_t padding = bytes < caps_.frame_bytes_min ? caps_.frame_bytes_min - bytes : 0;
  const std::size_t slices = 1 + pieces(segment.payload, segment.payload_bytes) + (padding != 0);
  const bool gather = slices > std::min<std::size_t>(caps_.slices_max, kBurstSlices);
  const bool fits = gather ? bytes + padding <= storage_.size() - storage_used_ && slices_used_ < kBurstSlices
                           : slices <= kBurstSlices - slices_used_;
  if (!fits) return false;
  const std::size_t first = slices_used_;
  segmenter_.next(headers_[frames_used_]);
  if (gather) add_gathered(segment, padding);
  else add_slices(segment, padding);
  frames_[frames_used_++] = {{&slices_[first], slices_used_ - first}, static_cast<std::uint32_t>(bytes + padding), {}};
  return true;
}

void TxCutter::add_slices(net::Segmenter::Segment segment, std::size_t padding) {
  slices_[slices_used_++] = Bytes(headers_[frames_used_]).first(segment.header_bytes);
  for (std::size_t left = segment.payload_bytes; left > 0; left -= slices_[slices_used_++].size()) {
    slices_[slices_used_] = segment.payload.take(left);
  }
  if (padding != 0) slices_[slices_used_++] = Bytes(kZeros).first(padding);
}

void TxCutter::add_gathered(const net::Segmenter::Segment& segment, std::size_t padding) {
  std::byte* at = storage_.data() + storage_used_;
  slices_[slices_used_++] = {at, segment.bytes() + padding};
  storage_used_ += segment.bytes() + padding;
  at = std::copy_n(headers_[frames_used_].data(), segment.header_bytes, at);
  net::MbufCursor payload = segment.payload;
  for (std::size_t left = segment.payload_bytes; left > 0;) {
    const Bytes piece = payload.take(left);
    at = std::copy_n(piece.data(), piece.size(), at);
    left -= piece.size();
  }
  std::fill_n(at, padding, std::byte{0});
  gathered_.add(1);
}

}  // namespace vif::drv
