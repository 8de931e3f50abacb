// SPDX-License-Identifier: BSD-2-Clause
// ICMPv6: RFC 4443. Answers echo, tells senders what became of their packets, hears what became of ours, and hands
// neighbour and listener discovery on. Domain's thread.
#pragma once

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

class Icmp6 {
 public:
  // Types below 128 are errors (RFC 4443, 2.1).
  static constexpr std::uint8_t kUnreachable = 1, kTooBig = 2, kTimeExceeded = 3, kParameterProblem = 4,
                                kEchoRequest = 128, kEchoReply = 129;
  // Codes of kUnreachable.
  static constexpr std::uint8_t kNoRoute = 0, kBeyondScope = 2, kAddressUnreachable = 3, kPortUnreachable = 4;
  // Codes of kTimeExceeded.
  static constexpr std::uint8_t kInTransit = 0, kInReassembly = 1;
  // Codes of kParameterProblem.
  static constexpr std::uint8_t kErroneousField = 0, kUnknownNextHeader = 1, kUnknownOption = 2;

  explicit Icmp6(Stack& stack) : stack_(stack) {}

  void input(Packet packet);

  // Tells the sender of `about`, unless RFC 4443, 2.4 e forbids it. `word`: bytes 4 to 7.
  void error(const Packet& about, std::uint8_t type, std::uint8_t code, std::uint32_t word);

  // Sends a message whose checksum is still to be made, with the hop limit and the rest of `as`.
  Status send(const Path& path, const IpAddress& dst, MbufPtr message, SendAs as);

 private:
  bool may_answer(const Packet& about, std::uint8_t type, std::uint8_t code) const;
  void echo(Packet packet);
  void hear_error(const Packet& packet, std::uint8_t type, std::uint8_t code);

  Stack& stack_;
};

}  // namespace vif::net::inet
