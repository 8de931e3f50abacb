// SPDX-License-Identifier: BSD-2-Clause
// Linux's own vxlan device at the other end of a cable, in a namespace of its own, and what is needed to talk with it:
// a station of ours that answers ARP and pings, and pings itself. One thread.
#pragma once

#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>

#include "tests/hypercall/vxlan/tunnel_ends.hpp"
#include "tests/support/net_namespace.hpp"

namespace vif::test {

// Internet checksum (RFC 1071) of bytes that have theirs in place: 0 when it is right.
inline std::uint16_t checksum(Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(bytes.data() + i);
  if (bytes.size() % 2 != 0) sum += std::to_integer<std::uint32_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// 192.0.2.1 (ours) and 192.0.2.2 (the kernel's), inside the tunnel.
inline const Frame kOurIp = hex("c0000201"), kKernelIp = hex("c0000202");
inline const net::MacAddress kKernelMac{{2, 0, 0, 0, 0, 0x99}};

// An IPv4 packet of ours in its frame (RFC 791).
inline Frame ip_frame(std::uint8_t protocol, const Frame& payload) {
  Frame header = hex("4500") + be16(20 + payload.size()) + hex("0000 4000 40") + Frame{std::byte{protocol}} +
                 hex("0000") + kOurIp + kKernelIp;
  store_be16(header.data() + 10, checksum(header));
  return ether(kKernelMac, 0x0800, header + payload, kOurMac);
}

// Echo request (8) or reply (0), RFC 792.
inline Frame echo(std::uint8_t type, const Frame& rest) {
  Frame message = Frame{std::byte{type}, std::byte{0}} + hex("0000") + rest;
  store_be16(message.data() + 2, checksum(message));
  return message;
}

// The two hosts: `near`, where the calling thread stays and our end is, and `far`, where the kernel's is.
class KernelPeer {
 public:
  struct Outer {
    const char *name, *near, *far, *add_near, *add_far, *device;
    std::uint32_t overhead_bytes;  // from an interface's MTU to the MTU inside
    friend void PrintTo(const Outer& outer, std::ostream* to) { *to << outer.name; }
  };
  static constexpr Outer kV4{"v4", "10.0.0.1", "10.0.0.2", "10.0.0.1/24", "10.0.0.2/24", "df set", 50};
  static constexpr Outer kV6{"v6", "fd00::1", "fd00::2", "fd00::1/64 nodad", "fd00::2/64 nodad", "", 70};

  const std::string& why_not() const { return far_.why_not().empty() ? near_.why_not() : far_.why_not(); }

  void connect(const Outer& outer, int vni = 7) {
    far_.enter();
    const host::UniqueFd there(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    near_.enter();
    NetNamespace::ip("link add va type veth peer name vb netns /proc/" + std::to_string(::getpid()) + "/fd/" +
                     std::to_string(there.get()));
    NetNamespace::ip(std::string("addr add ") + outer.add_near + " dev va");
    NetNamespace::ip("link set va up");
    far_.enter();
    NetNamespace::ip(std::string("addr add ") + outer.add_far + " dev vb");
    NetNamespace::ip("link set vb up");
    NetNamespace::ip("link add vx0 address " + kKernelMac.to_string() + " type vxlan id " + std::to_string(vni) +
                     " dstport 4789 dev vb local " + outer.far + " remote " + outer.near + " " + outer.device);
    NetNamespace::ip("addr add 192.0.2.2/24 dev vx0");
    NetNamespace::ip("link set vx0 up");
    near_.enter();
  }

  // What `make` opens, it opens in the kernel's namespace.
  template <class Make>
  auto over_there(Make make) {
    far_.enter();
    auto made = make();
    near_.enter();
    return made;
  }

 private:
  NetNamespace far_, near_;
};

// A socket of the kernel's end that sees what comes: ICMP messages to 192.0.2.2, or whole packets on the cable.
class RawSocket {
 public:
  static RawSocket icmp() { return RawSocket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)); }
  static RawSocket udp() {
    RawSocket made(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int bytes = 4 << 20;
    ::setsockopt(made.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    return made;
  }
  static RawSocket cable() {
    RawSocket made(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(::if_nametoindex("vb"));
    EXPECT_EQ(::bind(made.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return made;
  }

  int fd() const { return fd_.get(); }
  void send(const std::string& to, const Frame& bytes) {
    const host::UdpAddress there = *host::UdpAddress::parse(to, 9);
    EXPECT_EQ(::sendto(fd(), bytes.data(), bytes.size(), 0, there.get(), there.bytes()),
              static_cast<ssize_t>(bytes.size()))
        << std::strerror(errno);
  }
  Frames receive() {
    Frames all;
    Frame buffer(65'536);
    for (;;) {
      const ssize_t n = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0) {
        pollfd waited{fd(), POLLIN, 0};  // a busy host may still be carrying it
        if (::poll(&waited, 1, 20) != 1) return all;
        continue;
      }
      all.emplace_back(buffer.begin(), buffer.begin() + n);
    }
  }

 private:
  explicit RawSocket(int fd) : fd_(fd) { EXPECT_GE(fd, 0) << std::strerror(errno); }
  host::UniqueFd fd_;
};

// Our station at 192.0.2.1.
class Station {
 public:
  explicit Station(OurEnd& end) : end_(end) {}

  // One round; frames to be answered are, the others are kept.
  void round() {
    end_.round();
    for (const WireFrame& frame : end_.take()) input(frame.bytes);
  }
  template <class Enough>
  void wait_until(Enough enough) {
    for (int quiet = 0; !enough();) {
      pollfd waited{end_.watch.fd(), POLLIN, 0};
      quiet = ::poll(&waited, 1, 50) == 0 ? quiet + 1 : 0;
      if (quiet == 100) FAIL() << "nothing came in five seconds";
      round();
    }
  }

  Frames arp_replies, echo_replies, others;

 private:
  void input(const Frame& frame) {
    const net::EtherHeader header = net::EtherHeader::load(frame.data());
    const Frame payload(frame.begin() + net::kEtherHeaderBytes, frame.end());
    if (header.type == 0x0806) arp(payload);
    else if (header.type == 0x0800 && payload[9] == std::byte{IPPROTO_ICMP})
      icmp({payload.begin() + 20, payload.end()});
    else others.push_back(frame);
  }
  void arp(const Frame& packet) {
    if (packet[7] == std::byte{2}) return arp_replies.push_back(packet);
    if (!std::equal(kOurIp.begin(), kOurIp.end(), packet.begin() + 24)) return;
    const Frame sender(packet.begin() + 8, packet.begin() + 18);
    Frame ours(6);
    kOurMac.store(ours.data());
    end_.link.send(ether(net::MacAddress::load(sender.data()), 0x0806,
                         hex("0001 0800 06 04 0002") + ours + kOurIp + sender, kOurMac));
  }
  void icmp(const Frame& message) {
    const Frame rest(message.begin() + 4, message.end());
    if (message[0] == std::byte{ICMP_ECHO}) end_.link.send(ip_frame(IPPROTO_ICMP, echo(ICMP_ECHOREPLY, rest)));
    else if (message[0] == std::byte{ICMP_ECHOREPLY}) echo_replies.push_back(rest);
  }

  OurEnd& end_;
};

}  // namespace vif::test
