// SPDX-License-Identifier: BSD-2-Clause
// The running kernel is given the same super-frames, on a veth without offloads, and must cut them into the same bytes.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/support/cut_frames.hpp"
#include "tests/support/net_namespace.hpp"

namespace {

using namespace vif;
using namespace vif::test;

constexpr net::MacAddress kVethA{{0x02, 0, 0, 0, 0, 0x0a}}, kVethB{{0x02, 0, 0, 0, 0, 0x0b}};

// struct virtio_net_hdr of linux/virtio_net.h, which is not C++.
struct VnetHeader {
  std::uint8_t flags, gso_type;
  std::uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
static_assert(sizeof(VnetHeader) == 10);

class KernelCuts : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    network.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
    network.ip(
        "link add vifa mtu 9000 address 02:00:00:00:00:0a type veth peer name vifb mtu 9000 address 02:00:00:00:00:0b");
    network.ip("link set vifa up");
    network.ip("link set vifb up");
    sender = packet_socket("vifa");
    receiver = packet_socket("vifb");
    switch_on(sender, PACKET_VNET_HDR);
    switch_on(receiver, PACKET_AUXDATA);
    no_checksums("vifa");
  }

  static void switch_on(const host::UniqueFd& socket, int option) {
    const int on = 1;
    ASSERT_EQ(::setsockopt(socket.get(), SOL_PACKET, option, &on, sizeof on), 0) << std::strerror(errno);
  }
  static host::UniqueFd packet_socket(const char* ifname) {
    host::UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    EXPECT_TRUE(socket) << std::strerror(errno);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(ifname));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
    const int bytes = 4 << 20;  // of many small segments
    EXPECT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes), 0) << std::strerror(errno);
    return socket;
  }
  // Without them the device segments nothing either.
  void no_checksums(const char* ifname) {
    ethtool_value off{.cmd = ETHTOOL_STXCSUM, .data = 0};
    ifreq request{};
    std::strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&off);
    ASSERT_EQ(::ioctl(sender.get(), SIOCETHTOOL, &request), 0) << std::strerror(errno);
  }

  // The errno it was refused with.
  int send(const SuperFrame& whole) {
    const net::Offload& offload = whole.offload;
    VnetHeader header{offload.flags,    offload.gso_type,   offload.hdr_len,
                      offload.gso_size, offload.csum_start, offload.csum_offset};
    const iovec pieces[] = {{&header, sizeof header}, {const_cast<std::byte*>(whole.bytes.data()), whole.bytes.size()}};
    return ::writev(sender.get(), pieces, 2) < 0 ? errno : 0;
  }

  // The next frame from A to B; empty when none comes.
  Frame receive() {
    pollfd waited{receiver.get(), POLLIN, 0};
    for (Frame frame(70'000); ::poll(&waited, 1, 2000) == 1; frame.resize(70'000)) {
      alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(tpacket_auxdata))> control;
      iovec piece{frame.data(), frame.size()};
      msghdr message{};
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t bytes = ::recvmsg(receiver.get(), &message, 0);
      if (bytes < 14) continue;
      frame.resize(static_cast<std::size_t>(bytes));
      if (net::EtherHeader::load(frame.data()).src == kVethA) return with_tag(frame, message);
    }
    return {};
  }
  // The kernel keeps the outer tag beside the bytes.
  static Frame with_tag(const Frame& frame, msghdr& message) {
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
      if (at->cmsg_level != SOL_PACKET || at->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata aux;
      std::memcpy(&aux, CMSG_DATA(at), sizeof aux);
      if ((aux.tp_status & TP_STATUS_VLAN_VALID) != 0) return tagged(frame, aux.tp_vlan_tci, aux.tp_vlan_tpid);
    }
    return frame;
  }

  void expect_same(const SuperFrame& whole) {
    if (const int refused = send(whole); refused != 0) {
      EXPECT_TRUE(refused == EINVAL && whole.offload.gso_type == net::Offload::kGsoUdpL4) << std::strerror(refused);
      std::puts("skipped: this kernel knows no UDP segments in a virtio_net_hdr (Linux 6.2 does)");
      return;
    }
    const bool is_super = whole.offload.is_super_frame();
    const std::vector<Frame> ours = is_super ? cut_frames(pool, whole) : finished_frame(pool, whole);
    ASSERT_FALSE(ours.empty());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const Frame theirs = receive();
      ASSERT_EQ(theirs.size(), ours[i].size()) << "segment " << i << " of " << ours.size();
      const auto differs = std::mismatch(ours[i].begin(), ours[i].end(), theirs.begin()).first - ours[i].begin();
      ASSERT_EQ(static_cast<std::size_t>(differs), ours[i].size()) << "at byte " << differs << " of segment " << i;
    }
  }

  NetNamespace network;
  net::MbufPool pool{{.counts = {100, 8, 4, 2}, .external = 0}};
  host::UniqueFd sender, receiver;
};

TEST_F(KernelCuts, super_frames_into_the_same_segments) {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t tags : {0U, 1U, 2U}) {
        for (const std::size_t extra : {0U, 8U}) {
          for (const std::size_t bytes : {2897U, 4344U, 60'001U}) {
            SCOPED_TRACE(testing::Message() << "IPv" << (ipv6 ? 6 : 4) << (udp ? " UDP, " : " TCP, ") << tags
                                            << " tags, " << extra << " bytes of options, " << bytes << " bytes");
            const SuperFrameSpec spec{
                .ipv6 = ipv6, .udp = udp, .payload_bytes = bytes, .tags = tags, .extra_bytes = extra};
            expect_same(super_frame(spec, kVethB, kVethA));
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST_F(KernelCuts, flags_and_small_segments_alike) {
  for (const unsigned flags : {0x10U, 0x18U, 0x11U, 0x19U, 0x90U, 0xd9U, 0xffU & ~0x04U}) {
    for (const bool ecn : {false, true}) {
      SuperFrame whole = super_frame({.payload_bytes = 1000,
                                      .gso_size = 333,
                                      .tcp_option_bytes = 0,
                                      .tcp_flags = static_cast<std::uint8_t>(flags)},
                                     kVethB, kVethA);
      if (ecn) whole.offload.gso_type |= net::Offload::kGsoEcn;
      expect_same(whole);
    }
  }
}

TEST_F(KernelCuts, checksums_into_the_same_bytes) {
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t bytes : {1U, 18U, 1000U, 1001U, 8000U}) {
        expect_same(super_frame({.ipv6 = ipv6, .udp = udp, .payload_bytes = bytes, .gso_size = 0}, kVethB, kVethA));
      }
    }
  }
}

}  // namespace
