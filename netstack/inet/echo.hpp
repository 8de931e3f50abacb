// SPDX-License-Identifier: BSD-2-Clause
// Echo requests of our own, and who waits for the replies: what ping(8) needs. Domain's thread.
#pragma once

#include <array>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
class Ifnet;
}

namespace vif::net::inet {

struct Stack;

struct EchoReply {
  IpAddress from, to;
  std::uint16_t id, sequence;
  std::uint8_t hops;
  const Mbuf& payload;  // borrowed for the call
};

class EchoListener {
 public:
  virtual ~EchoListener() = default;
  virtual void echo_replied(const EchoReply& reply) = 0;
};

struct EchoRequest {
  IpAddress to;
  std::uint16_t id = 0, sequence = 0;
  Bytes payload = {};
  std::uint8_t hops = 0;  // 0: what is usual there
  Ifnet* via = nullptr;   // for link-local destinations and groups
  bool whole = false;     // never cut on the way
};

class Echo {
 public:
  explicit Echo(Stack& stack) : stack_(stack) {}

  // Errors: ENETUNREACH (no way there), EMSGSIZE, ENOBUFS, and what the interface says.
  Status request(const EchoRequest& wanted);
  // An echo of ours is about to leave, its ICMP header at `header`: errors about it will be believed.
  void sending(const IpAddress& to, const std::byte* header);
  // Whether that echo was sent lately.
  bool has_sent(const Quoted& about) const;
  // A reply, ICMP or ICMPv6, whose checksum is right and which has all of its header.
  void reply(Packet packet);

  std::vector<EchoListener*> listeners;

 private:
  // What was sent lately: an error about anything else is not believed.
  struct Sent {
    IpAddress to;
    std::uint8_t type = 0;
    std::uint32_t echo = 0;  // id and sequence
    friend bool operator==(const Sent&, const Sent&) = default;
  };
  static constexpr std::size_t kSentMax = 256;

  std::size_t place_of(const Sent& sent) const;

  Stack& stack_;
  std::array<Sent, kSentMax> sent_;  // each at its place_of; the later one of two stays
};

}  // namespace vif::net::inet
