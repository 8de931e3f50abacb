// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_tx.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "hypercall/fitting.hpp"
#include "hypercall/vnet_header.hpp"

namespace vif::host {
namespace {

using drv::SendStatus;

// What a frame's answer means for it: ok is taken, sent or not.
SendStatus meaning(ssize_t answer) {
  if (answer >= 0) return SendStatus::ok;
  switch (-answer) {
    case EAGAIN:
      return SendStatus::would_block;  // its socket's buffer is full; the descriptor becomes writable
    case EIO:                          // the interface is down
    case EBADFD:                       // there is none any more
      return SendStatus::network_down;
    default:
      return SendStatus::ok;
  }
}

// The frames at the front, at most a batch, that fit a slot.
std::span<const drv::TxFrame> small_ones(std::span<const drv::TxFrame> frames) {
  frames = frames.first(std::min({frames.size(), TapMemory::kNearSlots, TapRing::kBatch}));
  const auto end = std::find_if(frames.begin(), frames.end(),
                                [](const drv::TxFrame& frame) { return frame.bytes > TapMemory::kNearFrameBytes; });
  return frames.first(static_cast<std::size_t>(end - frames.begin()));
}

}  // namespace

drv::SendResult TapTx::send(std::span<const drv::TxFrame> frames) {
  const drv::SendResult fits = fitting(frames, frame_bytes_max_);
  for (std::size_t taken = 0; taken < fits.taken;) {
    const auto small = small_ones(frames.subspan(taken, fits.taken - taken));
    const bool batch = small.size() >= kBatchLeast && ring_.begin();
    const drv::SendResult some = batch ? send_batch(small) : send_one(frames[taken]);
    taken += some.taken;
    if (some.status != SendStatus::ok) return {taken, some.status};
  }
  return fits;
}

drv::SendResult TapTx::send_one(const drv::TxFrame& frame) {
  std::array<iovec, 1 + kSlicesMax> pieces;
  std::array<std::byte, kVnetHeaderBytes> header;
  int count = 0;
  if (device_.header_bytes() != 0) {
    write_vnet_header(frame.offload, header.data());
    pieces[static_cast<std::size_t>(count++)] = {header.data(), header.size()};
  }
  for (const Bytes slice : frame.slices) {
    pieces[static_cast<std::size_t>(count++)] = {const_cast<std::byte*>(slice.data()), slice.size()};
  }
  ssize_t answer = -EINTR;
  for (int tries = 0; tries < 3 && answer == -EINTR; ++tries) {
    answer = ::writev(device_.fd(), pieces.data(), count);
    if (answer < 0) answer = -errno;
  }
  const SendStatus status = meaning(answer);
  if (status != SendStatus::ok) return {0, status};
  lost_ += answer != static_cast<ssize_t>(device_.header_bytes() + frame.bytes);
  return {1, SendStatus::ok};
}

drv::SendResult TapTx::send_batch(std::span<const drv::TxFrame> frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) queue(frames[i], i);
  const std::span<const int> answers = ring_.run();
  if (answers.empty()) return send_one(frames.front());

  // What follows the last one that went stays the driver's; what was refused before it cannot go in its place any more.
  std::size_t taken = answers.size();
  while (taken > 0 && meaning(answers[taken - 1]) != SendStatus::ok) --taken;
  for (std::size_t i = 0; i < taken; ++i) {
    lost_ += answers[i] != static_cast<int>(device_.header_bytes() + frames[i].bytes);
  }
  return {taken, taken < answers.size() ? meaning(answers[taken]) : SendStatus::ok};
}

// In place where the kernel wants nothing before the frame, else copied behind its header.
void TapTx::queue(const drv::TxFrame& frame, std::size_t slot) {
  const std::size_t header_bytes = device_.header_bytes();
  if (header_bytes == 0 && frame.slices.size() == 1) {
    ring_.write(frame.slices[0], TapRing::Place::elsewhere);
    return;
  }
  std::byte* const begin = memory_.sent(slot);
  if (header_bytes != 0) write_vnet_header(frame.offload, begin - header_bytes);
  std::size_t filled = 0;
  for (const Bytes slice : frame.slices) {
    std::memcpy(begin + filled, slice.data(), slice.size());
    filled += slice.size();
  }
  ring_.write({begin - header_bytes, header_bytes + filled}, TapRing::Place::sent_slots);
}

}  // namespace vif::host
