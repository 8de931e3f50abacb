// SPDX-License-Identifier: BSD-2-Clause
// How frames lie on a connected socket: behind their lengths in a stream, or one a packet. Moves bursts of them, and
// finds out when the connection is over; whose connection that is and what comes after is stream_link.cpp's.
//
// Owns its buffers, borrows the socket for the call. One thread, the domain's; send() may be called from inside
// drain().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class Framing {
 public:
  // Of frames sent: the largest that passt takes (ETH_MAX_MTU of linux/if_ether.h); QEMU takes more.
  static constexpr std::uint32_t kFrameBytesMax = 65'535;
  static constexpr std::uint16_t kSlicesMax = 64;

  virtual ~Framing() = default;

  // As LinkPort::send: network_down once the connection cannot be written to, and drain() has to see what is left.
  virtual drv::SendResult send(int socket, std::span<const drv::TxFrame> frames) = 0;
  // A frame was begun and waits for room to be finished: send() does it, also without frames.
  virtual bool unfinished() const { return false; }
  // As LinkPort::drain. It reads until there is nothing, or over() is true: less than asked for is no sign, as the end
  // may be behind it without an edge of its own.
  virtual bool drain(int socket, std::size_t budget, drv::LinkSink& sink) = 0;
  // The connection is over: reports what was lost with it and forgets it, for the next. From inside drain.
  virtual void end(drv::LinkSink& sink) = 0;

  // Why the connection is over, as found by drain().
  const std::optional<Error>& over() const { return over_; }
  // The last call found the host without memory for it; nothing will tell when there is some.
  bool lacked_memory() const { return lacked_memory_; }

 protected:
  // What is to be done about errno, as a call on the socket left it.
  enum class Trouble : std::uint8_t { again, nothing_now, broken };
  Trouble judge();
  // The same for one that reads. False: there is nothing now, or, when nothing can be sent either, nothing any more.
  bool reading_goes_on();

  void is_over(int number, std::string text) { over_ = fail(number, std::move(text)); }
  void forget() {
    over_.reset();
    broken_errno_ = 0;
    lacked_memory_ = false;
  }

  int broken_errno_ = 0;  // of the first call that found the connection broken
  bool lacked_memory_ = false;

 private:
  std::optional<Error> over_;
};

// Each frame behind its length of `header_bytes` (2 or 4), big-endian, on a SOCK_STREAM. The clock stamps frames.
std::unique_ptr<Framing> make_length_framing(std::size_t header_bytes, ClockPort& clock);
// One frame a packet, on a SOCK_SEQPACKET or a SOCK_DGRAM.
std::unique_ptr<Framing> make_packet_framing(ClockPort& clock);

}  // namespace vif::host
