// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_rx.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "hypercall/vnet_header.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kSmallBytes = 4096;  // on average, for batches to be worth it

}  // namespace

// A super-frame of any size may come where the host leaves segmentation to us.
void TapRx::set_mtu(std::uint32_t mtu_bytes) {
  const std::size_t frame_bytes_max = net::kEtherHeaderBytes + net::kVlanTagBytes + mtu_bytes;
  near_ = device_.header_bytes() == 0 && frame_bytes_max < TapMemory::kNearFrameBytes;
}

TapRx::Ended TapRx::drain(std::size_t budget, drv::LinkSink& sink) {
  while (budget > 0) {
    Burst burst;
    const std::size_t wanted = std::min(budget, many_ ? kBurst : kFew);
    if (many_ && small_ && ring_.begin()) read_batch(burst, wanted);
    else read_one_by_one(burst, wanted);
    many_ = burst.error == 0;
    small_ = burst.bytes < burst.count * kSmallBytes;

    if (burst.lost > 0) sink.lost(DropReason::rx_malformed, burst.lost);
    if (burst.count > 0) {
      const std::int64_t now_ns = clock_.wall_ns();
      const std::span<drv::RxFrame> frames = std::span(burst.frames).first(burst.count);
      for (drv::RxFrame& frame : frames) frame.timestamp_ns = now_ns;
      sink.deliver(frames);
    }
    if (burst.error != 0) return burst.error == EAGAIN ? Ended::empty : Ended::failed;
    budget -= std::min<std::size_t>(budget, burst.count + burst.lost);
  }
  return Ended::budget;
}

void TapRx::read_one_by_one(Burst& burst, std::size_t frames) {
  std::byte* frame = memory_.received().data() + TapMemory::kHeadBytes;
  const std::byte* const enough = frame + kPackedBytes;
  for (std::size_t i = 0; i < frames && frame < enough; ++i) {
    const ssize_t bytes = read_once(frame);
    if (bytes < 0) return burst.failed(errno);
    take(burst, frame, static_cast<std::size_t>(bytes), TapMemory::kFrameBytesMax);
    constexpr std::size_t kLine = 64;
    frame += TapMemory::kHeadBytes + (static_cast<std::size_t>(bytes) + kLine - 1) / kLine * kLine;
  }
}

void TapRx::read_batch(Burst& burst, std::size_t frames) {
  const std::size_t slots = std::min(frames, near_ ? TapMemory::kNearSlots : TapMemory::kFarSlots);
  const std::size_t frame_bytes_max = near_ ? TapMemory::kNearFrameBytes - 1 : TapMemory::kFrameBytesMax;
  const std::size_t header_bytes = device_.header_bytes();
  const auto slot = [this](std::size_t i) { return near_ ? memory_.near(i) : memory_.far(i); };
  for (std::size_t i = 0; i < slots; ++i) {
    ring_.read({slot(i) - header_bytes, header_bytes + frame_bytes_max + 1},
               near_ ? TapRing::Place::near_slots : TapRing::Place::far_slots);
  }
  const std::span<const int> answers = ring_.run();
  if (answers.empty()) return read_one_by_one(burst, frames);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] < 0) burst.failed(-answers[i]);
    else take(burst, slot(i), static_cast<std::size_t>(answers[i]), frame_bytes_max);
  }
}

// A later read may find what has just come where an earlier one found nothing: then there may be more. A failure stays.
void TapRx::Burst::failed(int number) {
  if (error == 0 || error == EAGAIN) error = number;
  if (number == EINVAL || number == EFAULT) ++lost;  // it took the frame off its queue and could not hand it over
}

// What fills the buffer to its last byte was cut: that byte is there to tell.
void TapRx::take(Burst& burst, std::byte* frame, std::size_t bytes, std::size_t frame_bytes_max) {
  const std::size_t header_bytes = device_.header_bytes();
  if (burst.error == EAGAIN) burst.error = 0;
  if (bytes < header_bytes || bytes - header_bytes > frame_bytes_max) {
    ++burst.lost;
    return;
  }
  const std::size_t frame_bytes = bytes - header_bytes;
  drv::RxFrame& taken = burst.frames[burst.count++];
  taken.bytes = {frame, frame_bytes};
  if (header_bytes != 0) taken.offload = read_vnet_header(frame - header_bytes, frame_bytes);
  burst.bytes += frame_bytes;
}

// A call that is interrupted again and again is a failure like others.
ssize_t TapRx::read_once(std::byte* frame) {
  const std::size_t header_bytes = device_.header_bytes();
  ssize_t bytes = -1;
  for (int tries = 0; tries < 3; ++tries) {
    bytes = ::read(device_.fd(), frame - header_bytes, header_bytes + TapMemory::kFrameBytesMax + 1);
    if (bytes >= 0 || errno != EINTR) break;
  }
  return bytes;
}

// As many as there can be: a queue of the kernel's default length, a few times over. Who sends on all the while shall
// not keep us here.
std::uint64_t TapRx::discard() {
  std::uint64_t frames = 0;
  constexpr std::uint64_t kFramesMax = 4096;
  while (frames < kFramesMax && read_once(memory_.received().data() + TapMemory::kHeadBytes) >= 0) ++frames;
  many_ = false;
  return frames;
}

}  // namespace vif::host
