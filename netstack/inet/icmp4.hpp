// SPDX-License-Identifier: BSD-2-Clause
// ICMP for IPv4: RFC 792, as RFC 1122, 3.2.2 wants it. Answers echo, tells senders what became of their packets, and
// hears what became of ours. Domain's thread.
#pragma once

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

inline constexpr std::size_t kIcmpHeaderBytes = 8;  // type, code, checksum, and four bytes that depend on the type

class Icmp4 {
 public:
  static constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kEchoRequest = 8, kTimeExceeded = 11,
                                kParameterProblem = 12;
  // Codes of kUnreachable (RFC 792; RFC 1812, 5.2.7.1).
  static constexpr std::uint8_t kNetUnreachable = 0, kHostUnreachable = 1, kProtocolUnreachable = 2,
                                kPortUnreachable = 3, kFragmentationNeeded = 4, kProhibited = 13;
  // Codes of kTimeExceeded.
  static constexpr std::uint8_t kInTransit = 0, kInReassembly = 1;

  explicit Icmp4(Stack& stack) : stack_(stack) {}

  void input(Packet packet);

  // Tells the sender of `about`, unless RFC 1122, 3.2.2 forbids it. `word`: bytes 4 to 7.
  void error(const Packet& about, std::uint8_t type, std::uint8_t code, std::uint32_t word);

 private:
  void echo(Packet packet);
  void hear_error(const Packet& packet, std::uint8_t type, std::uint8_t code);

  Stack& stack_;
};

}  // namespace vif::net::inet
