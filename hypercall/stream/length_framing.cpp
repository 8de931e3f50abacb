// SPDX-License-Identifier: BSD-2-Clause
// Frames behind their lengths in a stream of bytes. A frame of which a part went out was taken: the rest of it waits
// here and goes before all others, so that the stream is never torn.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "hypercall/fitting.hpp"
#include "hypercall/stream/frame_assembler.hpp"
#include "hypercall/stream/framing.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBurst = 64;
constexpr std::size_t kShortBytes = 256;  // up to here a copy costs less than a piece more does the kernel

// The rest of the one frame that was begun.
class Tail {
 public:
  explicit Tail(std::size_t bytes_max) : bytes_(new std::byte[bytes_max]) {}

  bool empty() const { return begin_ == end_; }
  MutBytes left() { return {bytes_.get() + begin_, end_ - begin_}; }
  // Up to `bytes` from the front are gone; returns how many were here.
  std::size_t drop(std::size_t bytes) {
    const std::size_t dropped = std::min(bytes, end_ - begin_);
    begin_ += dropped;
    return dropped;
  }
  void clear() { begin_ = end_ = 0; }
  // `frame` behind `header`, from `skip` bytes on. Only when empty.
  void keep(Bytes header, const drv::TxFrame& frame, std::size_t skip) {
    clear();
    append(header, skip);
    for (const Bytes slice : frame.slices) append(slice, skip);
  }

 private:
  void append(Bytes bytes, std::size_t& skip) {
    const Bytes rest = bytes.subspan(std::min(skip, bytes.size()));
    skip -= bytes.size() - rest.size();
    if (rest.empty()) return;
    std::memcpy(bytes_.get() + end_, rest.data(), rest.size());
    end_ += rest.size();
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t begin_ = 0, end_ = 0;
};

class LengthFraming final : public Framing {
 public:
  LengthFraming(std::size_t header_bytes, ClockPort& clock)
      : header_bytes_(header_bytes), clock_(clock), in_(header_bytes), tail_(header_bytes + kFrameBytesMax) {}

  drv::SendResult send(int socket, std::span<const drv::TxFrame> frames) override {
    const drv::SendResult fits = fitting(frames, kFrameBytesMax);
    std::size_t taken = 0;
    lacked_memory_ = false;
    if (broken_errno_ != 0) return {0, drv::SendStatus::network_down};
    while (taken < fits.taken || !tail_.empty()) {
      const std::span<const drv::TxFrame> burst = gather(frames.subspan(taken, fits.taken - taken));
      msghdr message{};
      message.msg_iov = pieces_.data();
      message.msg_iovlen = pieces_used_;
      const ssize_t sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        taken += account(static_cast<std::size_t>(sent), burst);
        continue;  // after a short one, the next says why
      }
      const Trouble trouble = judge();
      if (trouble == Trouble::nothing_now) return {taken, drv::SendStatus::would_block};
      if (trouble == Trouble::broken) {
        broken_errno_ = errno;
        return {taken, drv::SendStatus::network_down};
      }
    }
    return {taken, fits.status};
  }

  bool unfinished() const override { return !tail_.empty(); }

  bool drain(int socket, std::size_t budget, drv::LinkSink& sink) override {
    lacked_memory_ = false;
    for (;;) {
      while (budget > 0) {
        const std::size_t n = in_.take(std::span(frames_).first(std::min(budget, kBurst)));
        if (n == 0) break;
        budget -= n;
        sink.deliver(std::span(frames_).first(n));
      }
      if (budget == 0) return true;
      if (!read(socket)) return false;
    }
  }

  void end(drv::LinkSink& sink) override {
    if (in_.within_frame()) sink.lost(DropReason::rx_malformed, 1);
    if (!tail_.empty()) sink.lost(DropReason::tx_error, 1);
    in_.clear();
    tail_.clear();
    forget();
  }

 private:
  // The tail and as many frames as there is room for, as pieces; returns the frames.
  std::span<const drv::TxFrame> gather(std::span<const drv::TxFrame> frames) {
    pieces_used_ = packed_used_ = 0;
    if (!tail_.empty()) add(tail_.left());
    std::size_t n = 0;
    for (; n < std::min(frames.size(), kBurst); ++n) {
      const drv::TxFrame& frame = frames[n];
      if (pieces_used_ + 1 + frame.slices.size() > pieces_.size()) break;
      const Header header = header_of(frame);
      pack(Bytes(header).first(header_bytes_));
      for (const Bytes slice : frame.slices) {
        if (frame.bytes <= kShortBytes) pack(slice);
        else add(slice);
      }
    }
    return frames.first(n);
  }

  void add(Bytes piece) { pieces_[pieces_used_++] = {const_cast<std::byte*>(piece.data()), piece.size()}; }

  // Copied behind what was packed before, and into the same piece where nothing came between.
  void pack(Bytes bytes) {
    std::byte* const to = packed_.data() + packed_used_;
    std::memcpy(to, bytes.data(), bytes.size());
    packed_used_ += bytes.size();
    iovec* const last = pieces_used_ == 0 ? nullptr : &pieces_[pieces_used_ - 1];
    if (last != nullptr && static_cast<std::byte*>(last->iov_base) + last->iov_len == to) last->iov_len += bytes.size();
    else add({to, bytes.size()});
  }

  using Header = std::array<std::byte, 4>;
  Header header_of(const drv::TxFrame& frame) const {
    Header header{};
    if (header_bytes_ == 4) store_be32(header.data(), frame.bytes);
    else store_be16(header.data(), static_cast<std::uint16_t>(frame.bytes));
    return header;
  }

  // `sent` bytes of what was gathered are gone; returns how many of the frames were taken by that.
  std::size_t account(std::size_t sent, std::span<const drv::TxFrame> burst) {
    sent -= tail_.drop(sent);
    std::size_t taken = 0;
    for (; taken < burst.size() && sent > 0; ++taken) {
      const std::size_t whole = header_bytes_ + burst[taken].bytes;
      if (sent < whole) {
        const Header header = header_of(burst[taken]);
        tail_.keep(Bytes(header).first(header_bytes_), burst[taken], sent);
      }
      sent -= std::min(sent, whole);
    }
    return taken;
  }

  // False: there is nothing now, or nothing any more.
  bool read(int socket) {
    if (const auto length = in_.bad_length()) {
      is_over(EPROTO, "the peer sent a frame length of " + std::to_string(*length) + " where 1 to " +
                          std::to_string(FrameAssembler::kFrameBytesMax) + " can be: it speaks another framing");
      return false;
    }
    const MutBytes room = in_.room();
    const ssize_t n = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
    if (n > 0) {
      in_.filled(static_cast<std::size_t>(n), clock_.wall_ns());
      return true;
    }
    if (n == 0) {
      is_over(ECONNRESET,
              in_.within_frame() ? "the peer closed the connection within a frame" : "the peer closed the connection");
      return false;
    }
    return reading_goes_on();
  }

  const std::size_t header_bytes_;
  ClockPort& clock_;
  FrameAssembler in_;
  std::array<drv::RxFrame, kBurst> frames_;
  Tail tail_;
  std::array<iovec, 1 + kBurst + 2 * kBurst> pieces_;
  std::array<std::byte, kBurst*(sizeof(Header) + kShortBytes)> packed_;
  std::size_t pieces_used_ = 0, packed_used_ = 0;
};

}  // namespace

std::unique_ptr<Framing> make_length_framing(std::size_t header_bytes, ClockPort& clock) {
  return std::make_unique<LengthFraming>(header_bytes, clock);
}

}  // namespace vif::host
