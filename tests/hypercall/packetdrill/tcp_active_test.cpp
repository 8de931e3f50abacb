// SPDX-License-Identifier: BSD-2-Clause
// Connections that the stack makes.
#include "tests/hypercall/packetdrill/tcp_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class DrillConnect : public DrillTcp {
 protected:
  // Begins to connect without waiting, and returns the SYN.
  Segment begin() {
    fd = t.socket(self, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(failed(connect(fd, kRemote, kRemotePort)), EINPROGRESS);
    const Segment syn = segment();
    EXPECT_EQ(syn.flags, kSyn);
    EXPECT_EQ(syn.dst_port, kRemotePort);
    return syn;
  }
  void answer(const Segment& syn, std::uint8_t flags) {
    arrive(Segment{kRemotePort, syn.src_port, 5000, syn.seq + 1, flags});
  }
  int fd = -1;
};

TEST_F(DrillConnect, succeeds) {
  const Segment syn = begin();
  EXPECT_EQ(failed(connect(fd, kRemote, kRemotePort)), EALREADY);
  EXPECT_EQ(poll(fd, POLLOUT, 0), 0);
  answer(syn, kSyn | kAck);
  EXPECT_EQ(segment().flags, kAck);
  EXPECT_EQ(poll(fd, POLLOUT, 0), POLLOUT);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_EQ(failed(connect(fd, kRemote, kRemotePort)), EISCONN);
  EXPECT_EQ(t.write(self, fd, "hi", 2), 2);
  EXPECT_EQ(segment().data, text("hi"));
}

TEST_F(DrillConnect, is_refused) {
  const Segment syn = begin();
  answer(syn, kRst | kAck);
  EXPECT_NE(poll(fd, POLLOUT, 0) & POLLERR, 0);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST_F(DrillConnect, gives_up_at_last) {
  const int waits = tcp();
  const long long before_us = now_us();
  EXPECT_EQ(failed(connect(waits, kRemote, kRemotePort)), ETIMEDOUT);
  EXPECT_GT(now_us(), before_us + 10'000'000);
  int syns = 0;
  for (Segment s = segment(); s.flags == kSyn && syns < 3; s = segment()) ++syns;
  EXPECT_EQ(syns, 3) << "it was sent again";
}

TEST_F(DrillConnect, leaves_from_the_port_it_was_bound_to) {
  const int bound = t.socket(self, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ASSERT_EQ(bind(bound, kStack, 4000), 0);
  EXPECT_EQ(failed(connect(bound, kRemote, kRemotePort)), EINPROGRESS);
  EXPECT_EQ(segment().src_port, 4000);
  EXPECT_EQ(t.close(self, bound), 0);
}

TEST_F(DrillConnect, works_over_ip6_on_the_link_and_beyond) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(80);
  for (const IpAddress& peer : {ip("fd3d:fa7b:d17d::9"), ip("2001:db8::1")}) {
    peer.store6(reinterpret_cast<std::byte*>(&to.sin6_addr));
    const int v6 = t.socket(self, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(failed(t.connect(self, v6, reinterpret_cast<sockaddr*>(&to), sizeof to)), EINPROGRESS);
    const Frame syn = packet();
    ASSERT_GE(syn.size(), 60U);
    EXPECT_EQ(IpAddress::load6(&syn[8]), ip("fd3d:fa7b:d17d::2"));
    EXPECT_EQ(IpAddress::load6(&syn[24]), peer);
    EXPECT_EQ(syn[40 + 13], std::byte{kSyn});
    ASSERT_EQ(t.close(self, v6), 0);
  }
}

class DrillElsewhere : public DrillTcp {
 protected:
  DrillElsewhere() : DrillTcp("local4=10.1.2.3/24,mtu=1300,seed=7") {}
};

TEST_F(DrillElsewhere, has_the_address_and_the_mtu_it_was_given) {
  const int fd = t.socket(self, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  EXPECT_EQ(failed(connect(fd, kRemote, kRemotePort)), EINPROGRESS);
  const Frame syn = packet();
  EXPECT_EQ(IpAddress::load4(&syn[12]), IpAddress::v4(10, 1, 2, 3));
  EXPECT_EQ(be16_at(syn, 42), 1260) << "the MSS in the SYN's first option";
}

}  // namespace
