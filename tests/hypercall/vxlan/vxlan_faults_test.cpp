// SPDX-License-Identifier: BSD-2-Clause
// A tunnel on a host that refuses: every call, with what it may answer. Nothing is lost uncounted, nothing spins, and
// it goes on when the host does.
#include <gtest/gtest.h>

#include "tests/hypercall/host_limits.hpp"
#include "tests/hypercall/vxlan/tunnel_ends.hpp"
#include "tests/support/host_faults.hpp"
#include "tests/support/net_namespace.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

const std::string kLinkstr = "vxlan:127.0.0.2,vni=7,local=127.0.0.1";

WireFrames burst_of(std::size_t count, unsigned first = 0) {
  WireFrames burst;
  for (unsigned i = 0; i < count; ++i)
    burst.push_back({ether(kPeerMac, 0x88b5, be16(first + i) + counting(58), kOurMac)});
  return burst;
}

class VxlanFaults : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    two = std::make_unique<PlainEnd>("127.0.0.2");
  }
  // What has reached the other end since last asked.
  std::size_t arrived() { return two->receive().size(); }
  std::uint64_t failed() const { return one.sink.lost(DropReason::tx_error); }

  NetNamespace network;
  std::unique_ptr<PlainEnd> two;
  OurEnd one;
};

// --- opening ---

TEST_F(VxlanFaults, does_not_open_without_what_it_needs) {
  for (const char* call : {"socket", "setsockopt", "bind"}) {
    for (const int number : {EMFILE, ENOMEM, EPERM, EACCES}) {
      HostFaults host;
      host.fail(call, number);
      const auto refused = one.try_open(kLinkstr);
      ASSERT_FALSE(refused) << call;
      EXPECT_EQ(refused.error().number(), number) << call;
      EXPECT_EQ(refused.error().text.find("vxlan: "), 0U) << refused.error().text;
    }
  }
  HostFaults host;
  host.fail("socket", EMFILE, 1, 1);
  EXPECT_FALSE(one.try_open(kLinkstr)) << "the second socket";
  host.fail("bind", EACCES);
  EXPECT_NE(one.try_open(kLinkstr).error().text.find("unshare"), std::string::npos);
  host.heal("bind");
  one.start(kLinkstr);
}

TEST_F(VxlanFaults, does_not_open_without_descriptors) {
  VIF_NEEDS_DESCRIPTORS();
  for (const rlim_t spare : {0UL, 1UL}) {
    const FewDescriptors few(spare);
    const auto refused = one.try_open(kLinkstr);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().number(), EMFILE);
  }
  one.start(kLinkstr);
}

TEST_F(VxlanFaults, does_not_start_without_its_loop) {
  Result<drv::OpenLink> opened = one.try_open(kLinkstr);
  ASSERT_TRUE(opened);
  {
    HostFaults host;
    host.fail("epoll_ctl", ENOSPC, 1);
    EXPECT_EQ(opened->port->start(one.sink).error().number(), ENOSPC);
    host.fail("setsockopt", EPERM, 1);
    EXPECT_EQ(opened->port->start(one.sink).error().number(), EPERM);
  }
  opened->port->stop();
  one.link.link = std::move(*opened);
  one.running = one.link.start();
  two->send("127.0.0.1", in_vxlan(burst_of(1)[0].bytes));
  one.wait_until([&] { return !one.sink.frames.empty(); });
}

TEST_F(VxlanFaults, says_1450_when_it_cannot_learn_the_path) {
  HostFaults host;
  host.fail("getsockopt", ENOPROTOOPT);
  one.start(kLinkstr);
  EXPECT_EQ(one.mtu(), 1450U);
  host.heal("getsockopt");
  host.fail("connect", EPERM);
  one.pass_time(10s);
  EXPECT_EQ(one.mtu(), 1450U);
}

// --- a kernel without UDP_GRO (before 5.0) or UDP_SEGMENT (before 4.18) ---

TEST_F(VxlanFaults, does_without_trains) {
  {
    HostFaults host;
    host.fail("setsockopt", ENOPROTOOPT, 2, 3);
    one.start(kLinkstr);
  }
  EXPECT_EQ(one.link.link.chosen.find("UDP_"), std::string::npos) << one.link.link.chosen;
  EXPECT_NE(one.link.link.chosen.find("sendmmsg"), std::string::npos) << one.link.link.chosen;
  HostFaults host;
  EXPECT_EQ(one.link.send(burst_of(100)).taken, 100U);
  EXPECT_EQ(arrived(), 100U);
  EXPECT_LE(host.calls("sendmmsg"), 2);
  for (const WireFrame& frame : burst_of(100)) two->send("127.0.0.1", in_vxlan(frame.bytes));
  one.wait_until([&] { return one.sink.frames.size() == 100; });
  EXPECT_TRUE(one.take() == burst_of(100));
}

// --- sending ---

TEST_F(VxlanFaults, keeps_frames_while_the_socket_is_full) {
  one.start(kLinkstr);
  HostFaults host;
  host.fail("sendmmsg", EAGAIN);
  EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U) << "copied";
  const drv::SendResult more = one.link.send(burst_of(10, 10));
  EXPECT_EQ(more.taken, 0U);
  EXPECT_EQ(more.status, drv::SendStatus::would_block);
  EXPECT_EQ(arrived(), 0U);
  host.heal("sendmmsg");
  one.wait_until([&] { return one.sink.readies > 0 && one.round(); });
  EXPECT_EQ(arrived(), 10U);
  EXPECT_EQ(one.link.send(burst_of(10, 10)).taken, 10U);
  EXPECT_EQ(arrived(), 10U);
  EXPECT_EQ(failed(), 0U);
}

TEST_F(VxlanFaults, tries_again_when_it_cannot_wait_for_room) {
  one.start(kLinkstr);
  HostFaults host;
  host.fail("sendmmsg", EAGAIN, 1);
  host.fail("epoll_ctl", ENOMEM, 1);
  EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
  one.pass_time(5ms);
  EXPECT_EQ(arrived(), 10U);
}

TEST_F(VxlanFaults, tries_again_when_the_host_has_no_memory_or_queue) {
  one.start(kLinkstr);
  for (const int number : {ENOBUFS, ENOMEM, EINTR}) {
    HostFaults host;
    host.fail("sendmmsg", number);
    EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
    EXPECT_EQ(one.link.send(burst_of(10)).status, drv::SendStatus::would_block);
    one.pass_time(50ms);
    EXPECT_LE(host.calls("sendmmsg"), 60) << "it does not spin";
    EXPECT_EQ(arrived(), 0U);
    host.heal("sendmmsg");
    one.pass_time(5ms);
    EXPECT_EQ(arrived(), 10U) << number;
  }
  EXPECT_EQ(failed(), 0U);
}

TEST_F(VxlanFaults, sends_one_by_one_what_cannot_be_cut) {
  one.start(kLinkstr);
  {
    HostFaults host;
    host.fail("sendmmsg", EIO, 2);
    EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
    EXPECT_EQ(arrived(), 10U);
    EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
    EXPECT_EQ(arrived(), 10U);
  }
  one.pass_time(10s);  // another route, perhaps: trains again
  HostFaults host;
  EXPECT_EQ(one.link.send(burst_of(64)).taken, 64U);
  EXPECT_EQ(arrived(), 64U);
  EXPECT_EQ(failed(), 0U);
}

TEST_F(VxlanFaults, counts_what_the_host_will_not_send) {
  one.start(kLinkstr);
  std::uint64_t lost = 0;
  for (const int number : {EIO, EPERM, EINVAL, EMSGSIZE, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EPROTO}) {
    HostFaults host;
    host.fail("sendmmsg", number);
    EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
    EXPECT_LE(host.calls("sendmmsg"), 30);
    one.link.drain_all();
    EXPECT_EQ(failed(), lost += 10) << number;
    host.fail("sendmmsg", number, 1);
    EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
    EXPECT_EQ(arrived(), 10U) << "refused once: " << number;
  }
  EXPECT_EQ(failed(), lost);
  EXPECT_TRUE(one.sink.states.empty()) << "the link stayed up";
}

TEST_F(VxlanFaults, counts_what_waits_when_it_is_stopped) {
  one.start(kLinkstr);
  HostFaults host;
  host.fail("sendmmsg", EAGAIN);
  EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
  one.stop();
  EXPECT_EQ(failed(), 10U);
  host.heal("sendmmsg");
  one.running = one.link.start();
  EXPECT_EQ(one.link.send(burst_of(1)).taken, 1U);
  EXPECT_EQ(arrived(), 1U);
}

// A copy that went to one remote is enough; one that went to none is a frame lost.
TEST_F(VxlanFaults, counts_a_frame_for_all_once) {
  one.start("vxlan:127.0.0.2+192.0.2.99,vni=7,local=127.0.0.1");  // no way to the second
  EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
  one.link.drain_all();
  EXPECT_EQ(arrived(), 10U);
  EXPECT_EQ(failed(), 0U);
  HostFaults host;
  host.fail("sendmmsg", EPERM);
  EXPECT_EQ(one.link.send(burst_of(10)).taken, 10U);
  one.link.drain_all();
  EXPECT_EQ(failed(), 10U);
}

// --- receiving ---

TEST_F(VxlanFaults, reads_on_when_the_host_does) {
  one.start(kLinkstr);
  for (const int number : {EIO, ENOMEM, ENOBUFS, EINTR, ECONNREFUSED, EPERM}) {
    for (const WireFrame& frame : burst_of(20)) two->send("127.0.0.1", in_vxlan(frame.bytes));
    HostFaults host;
    host.fail("recvmmsg", number);
    one.round();
    EXPECT_TRUE(one.sink.frames.empty());
    one.pass_time(50ms);
    EXPECT_LE(host.calls("recvmmsg"), 100) << "it does not spin";
    host.fail("recvmmsg", number, 1);
    one.pass_time(5ms);
    EXPECT_TRUE(one.take() == burst_of(20)) << number;
  }
  EXPECT_EQ(one.sink.losses, decltype(one.sink.losses){});
  EXPECT_TRUE(one.sink.states.empty());
}

TEST_F(VxlanFaults, lives_without_icmps_reports) {
  one.start("vxlan:127.0.0.3,vni=7,local=127.0.0.1");
  HostFaults host;
  host.fail("recvmsg", EIO);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(one.link.send(burst_of(1)).taken, 1U);
    one.round();
  }
  host.heal("recvmsg");
  one.link.send(burst_of(1));
  one.round();
  EXPECT_EQ(failed(), 6U) << "all of them, once they can be read";
}

// --- for good ---

TEST_F(VxlanFaults, is_down_for_good_when_its_socket_is_none) {
  for (const char* call : {"sendmmsg", "recvmmsg"}) {
    OurEnd end;
    end.start("vxlan:127.0.0.2,vni=7,local=127.0.0.3");
    HostFaults host;
    host.fail(call, EBADF);
    end.link.send(burst_of(3));
    end.link.drain_all();
    ASSERT_FALSE(end.sink.states.empty()) << call;
    EXPECT_EQ(end.sink.states.back(), net::LinkState::down);
    EXPECT_EQ(end.sink.why->number(), EBADF);
    const drv::SendResult refused = end.link.send(burst_of(1));
    EXPECT_EQ(refused.taken, 0U);
    EXPECT_EQ(refused.status, drv::SendStatus::network_down);
    EXPECT_EQ(end.sink.lost(DropReason::tx_error) + arrived(), 3U);
    end.stop();
    EXPECT_EQ(end.sink.lost(DropReason::tx_error), std::string(call) == "sendmmsg" ? 3U : 0U);
  }
}

}  // namespace
