// SPDX-License-Identifier: BSD-2-Clause
// One frame a packet: a packet is sent whole or not at all, and several of them a call.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "hypercall/fitting.hpp"
#include "hypercall/stream/framing.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBurst = 64;
// A longer packet arrives cut, and so is above every MTU: the driver counts it.
constexpr std::size_t kPacketBytesMax = 66'000;
static_assert(kPacketBytesMax > Framing::kFrameBytesMax + 4);
// The front of each goes where the fronts of a burst lie close together, the rest of a long one elsewhere: in pages of
// their own short ones cost a tenth more. Slots do not begin at the same places in the caches.
constexpr std::size_t kFrontBytes = 2048, kFrontStride = kFrontBytes + 64, kStride = 66'240;
static_assert(kStride >= kPacketBytesMax);

class PacketFraming final : public Framing {
 public:
  explicit PacketFraming(ClockPort& clock) : clock_(clock), buffer_(new std::byte[kBurst * (kFrontStride + kStride)]) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      into_[i] = {iovec{front(i), kFrontBytes}, iovec{whole(i) + kFrontBytes, kPacketBytesMax - kFrontBytes}};
      arriving_[i].msg_hdr.msg_iov = into_[i].data();
      arriving_[i].msg_hdr.msg_iovlen = into_[i].size();
    }
  }

  drv::SendResult send(int socket, std::span<const drv::TxFrame> frames) override {
    const drv::SendResult fits = fitting(frames, kFrameBytesMax);
    std::size_t taken = 0;
    lacked_memory_ = false;
    if (broken_errno_ != 0) return {0, drv::SendStatus::network_down};
    while (taken < fits.taken) {
      const unsigned n = gather(frames.subspan(taken, fits.taken - taken));
      const int sent = ::sendmmsg(socket, leaving_.data(), n, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        taken += static_cast<std::size_t>(sent);
        continue;  // after fewer, the next says why
      }
      if (errno == EMSGSIZE) return {taken, drv::SendStatus::message_size};  // above the socket's send buffer
      const Trouble trouble = judge();
      if (trouble == Trouble::nothing_now) return {taken, drv::SendStatus::would_block};
      if (trouble == Trouble::broken) {
        broken_errno_ = errno;
        return {taken, drv::SendStatus::network_down};
      }
    }
    return {taken, fits.status};
  }

  bool drain(int socket, std::size_t budget, drv::LinkSink& sink) override {
    lacked_memory_ = false;
    while (budget > 0) {
      const auto wanted = static_cast<unsigned>(std::min(budget, kBurst));
      const int n = ::recvmmsg(socket, arriving_.data(), wanted, MSG_DONTWAIT, nullptr);
      if (n < 0) {
        if (!reading_goes_on()) return false;
        continue;
      }
      const std::size_t arrived = without_end(socket, static_cast<std::size_t>(n));
      deliver(arrived, sink);
      budget -= arrived;
      if (over()) return false;
    }
    return true;
  }

  void end(drv::LinkSink&) override { forget(); }

 private:
  unsigned gather(std::span<const drv::TxFrame> frames) {
    std::size_t pieces = 0;
    unsigned n = 0;
    for (; n < std::min(frames.size(), kBurst); ++n) {
      const drv::TxFrame& frame = frames[n];
      if (pieces + frame.slices.size() > pieces_.size()) break;
      msghdr& message = leaving_[n].msg_hdr;
      message.msg_iov = &pieces_[pieces];
      message.msg_iovlen = frame.slices.size();
      for (const Bytes slice : frame.slices) pieces_[pieces++] = {const_cast<std::byte*>(slice.data()), slice.size()};
    }
    return n;
  }

  // A peer that is gone reads as empty packets without end, and so does one that sends them.
  std::size_t without_end(int socket, std::size_t n) {
    std::size_t whole = n;
    while (whole > 0 && arriving_[whole - 1].msg_len == 0) --whole;
    if (whole == n) return n;
    pollfd asked{socket, POLLRDHUP, 0};
    if (::poll(&asked, 1, 0) <= 0 || (asked.revents & (POLLRDHUP | POLLHUP)) == 0) return n;
    is_over(ECONNRESET, "the peer closed the connection");
    return whole;
  }

  void deliver(std::size_t n, drv::LinkSink& sink) {
    if (n == 0) return;
    const std::int64_t now_ns = clock_.wall_ns();
    for (std::size_t i = 0; i < n; ++i) {
      frames_[i] = {{in_one_piece(i), arriving_[i].msg_len}, 0, now_ns, {}};
    }
    sink.deliver(std::span(frames_).first(n));
  }

  std::byte* front(std::size_t i) const { return buffer_.get() + i * kFrontStride; }
  std::byte* whole(std::size_t i) const { return buffer_.get() + kBurst * kFrontStride + i * kStride; }
  const std::byte* in_one_piece(std::size_t i) const {
    if (arriving_[i].msg_len <= kFrontBytes) return front(i);
    std::memcpy(whole(i), front(i), kFrontBytes);
    return whole(i);
  }

  ClockPort& clock_;
  std::unique_ptr<std::byte[]> buffer_;
  std::array<std::array<iovec, 2>, kBurst> into_;
  std::array<mmsghdr, kBurst> arriving_{}, leaving_{};
  std::array<drv::RxFrame, kBurst> frames_;
  std::array<iovec, 2 * kBurst> pieces_;
};

}  // namespace

std::unique_ptr<Framing> make_packet_framing(ClockPort& clock) { return std::make_unique<PacketFraming>(clock); }

}  // namespace vif::host
