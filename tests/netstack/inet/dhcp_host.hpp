// SPDX-License-Identifier: BSD-2-Clause
// What a DHCP server says, written by hand, and a client that hears it. Offsets are those of RFC 2131, 2.
#pragma once

#include "netstack/inet/dhcp_client.hpp"
#include "tests/netstack/inet/rig.hpp"

namespace vif::test {

using net::inet::DhcpState;
using net::inet::DhcpType;

inline const IpAddress kServer = ip("192.0.2.254"), kOffered = ip("192.0.2.77");
constexpr net::MacAddress kServerMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0xfe}};

inline Frame option(std::uint8_t code, const Frame& value) {
  return Frame{std::byte{code}, static_cast<std::byte>(value.size())} + value;
}

struct ServerSays {
  DhcpType type = DhcpType::offer;
  IpAddress yours = kOffered;
  IpAddress server = kServer;
  std::uint32_t lease_s = 3600;
  Frame options = option(1, hex("ffffff00")) + option(3, address_bytes(kServer));  // further ones
  net::MacAddress client = kOurMac;
  std::uint32_t transaction_off_by = 0;
};

inline Frame dhcp_reply(std::uint32_t transaction, const ServerSays& says) {
  Frame fixed(236);
  fixed[0] = std::byte{2}, fixed[1] = std::byte{1}, fixed[2] = std::byte{6};
  store_be32(&fixed[4], transaction + says.transaction_off_by);
  says.yours.store4(&fixed[16]);
  says.client.store(&fixed[28]);
  Frame options = hex("63825363") + option(53, {static_cast<std::byte>(says.type)});
  if (says.server != net::inet::kAny4) options = options + option(54, address_bytes(says.server));
  if (says.type != DhcpType::nak) options = options + option(51, be32(says.lease_s));
  return fixed + options + says.options + hex("ff");
}

class DhcpHost : public InetRig, public net::inet::DhcpListener {
 protected:
  void SetUp() override {
    ASSERT_EQ(error_of(inet->attach(ifp())), 0);
    client.emplace(*inet, ifp(), *this);
  }
  void TearDown() override { client.reset(); }

  void lease_changed(net::Ifnet&, const net::inet::DhcpLease* lease) override {
    told.push_back(lease == nullptr ? "over" : lease->address.to_string());
    if (then) then();
  }

  // The DHCP messages that left, without the padding; ARP goes to `arps`.
  std::vector<Frame> asked() {
    std::vector<Frame> messages;
    for (const Frame& frame : sent()) {
      if (header_of(frame).type == 0x0806) {
        ++arps;
        continue;
      }
      last_dst = IpAddress::load4(&frame.at(14 + 16));
      EXPECT_EQ(be16_at(frame, 34), 68);
      EXPECT_EQ(be16_at(frame, 36), 67);
      messages.push_back(cut(frame, 42));
    }
    return messages;
  }
  Frame asked_one() {
    std::vector<Frame> messages = asked();
    EXPECT_EQ(messages.size(), 1U);
    return messages.empty() ? Frame(300) : messages.front();
  }
  static DhcpType type_of(const Frame& message) { return static_cast<DhcpType>(message.at(242)); }
  static bool has(const Frame& message, const Frame& part) {
    return std::search(message.begin() + 240, message.end(), part.begin(), part.end()) != message.end();
  }
  // Answers the question, to everyone.
  void answer(const Frame& question, const ServerSays& says, const IpAddress& to = ip("255.255.255.255"),
              std::uint16_t from_port = 67) {
    const Frame message = dhcp_reply(load_be32(&question.at(4)), says);
    arrive(ether(to == ip("255.255.255.255") ? net::kBroadcast : kOurMac, 0x0800,
                 ip4(kServer, to, udp(kServer, from_port, to, 68, message), {.protocol = 17}), kServerMac));
  }
  // Asked for, and got; what was sent is forgotten.
  void become_bound(const ServerSays& says = {}) {
    ASSERT_EQ(error_of(client->start()), 0);
    run(std::chrono::seconds(1));
    answer(asked_one(), says);
    ServerSays ack = says;
    ack.type = DhcpType::ack;
    answer(asked_one(), ack);
    run(std::chrono::seconds(10));
    ASSERT_EQ(client->state(), DhcpState::bound);
    know_peer(kServer, kServerMac);
    (void)asked();
    told.clear();
  }
  bool has_address() { return !inet->addresses(ifp()).empty(); }

  std::optional<net::inet::DhcpClient> client;
  std::vector<std::string> told;
  std::function<void()> then;
  IpAddress last_dst;
  int arps = 0;
};

}  // namespace vif::test
