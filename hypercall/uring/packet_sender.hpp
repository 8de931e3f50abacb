// SPDX-License-Identifier: BSD-2-Clause
// Frames out: bursts of SENDs through io_uring, or sendmmsg. The domain's thread; what is taken is the kernel's on
// return.
#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hypercall/io_ring.hpp"
#include "hypercall/uring/packet_socket.hpp"
#include "virtif/link.hpp"

namespace vif::host {

struct SendPlan {
  unsigned ifindex = 0;
  bool bypass_qdisc = false;
};

class PacketSender {
 public:
  static constexpr std::size_t kSlicesMax = 16;

  // Errors: packet_socket.hpp's, and ENOPROTOOPT where the kernel cannot bypass the queueing discipline.
  static Result<std::unique_ptr<PacketSender>> open(const SendPlan& plan);

  // As LinkPort::send; all of the frames fit the interface.
  drv::SendResult send(std::span<const drv::TxFrame> frames);

  // After would_block: the descriptor that tells when there is room, or -1 when only time will.
  int blocked_fd() const { return blocked_fd_; }
  // Frames that were taken and came to nothing, since the last time.
  std::uint64_t take_failed() { return std::exchange(failed_, 0); }

  // Whether frames may carry offload.
  bool offloads() const { return with_offload_.has_value(); }
  // For people: "io_uring (DEFER_TASKRUN) sends".
  std::string words() const;

 private:
  static constexpr std::size_t kBurst = 64;
  static constexpr std::size_t kStagedBytes = 2048;

  explicit PacketSender(PacketSocket plain) : plain_(std::move(plain)) {}

  void make_ring();
  std::size_t frames_with_room(std::span<const drv::TxFrame> frames) const;
  void describe(std::span<const drv::TxFrame> frames, bool with_offload);
  drv::SendResult send_plain(std::span<const drv::TxFrame> frames);
  drv::SendResult send_by_ring(std::size_t frames);
  drv::SendResult send_by_call(const PacketSocket& socket, std::size_t frames);
  drv::SendResult refused(int number, const PacketSocket& socket);

  PacketSocket plain_;
  std::optional<PacketSocket> with_offload_;  // takes every frame behind its offload; none: the kernel cannot
  std::size_t send_buffer_bytes_ = 0;         // of plain_
  std::unique_ptr<IoRing> ring_;              // null: sendmmsg
  int blocked_fd_ = -1;
  int refusals_ = 0;  // of the frame at the front, by a host without room that does not tell when it has some
  std::uint64_t failed_ = 0;
  // The burst as the kernel wants it described. Small frames in pieces are put together: that costs less than pieces.
  std::array<mmsghdr, kBurst> messages_{};
  std::array<std::array<iovec, kSlicesMax + 1>, kBurst> slices_{};
  std::array<std::array<std::byte, kStagedBytes>, kBurst> staged_;
};

}  // namespace vif::host
