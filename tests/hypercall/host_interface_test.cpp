// SPDX-License-Identifier: BSD-2-Clause
// What the running kernel says of a real interface, and that nothing of it is missed.
#include "hypercall/host_interface.hpp"

#include <gtest/gtest.h>
#include <net/if_arp.h>
#include <poll.h>

#include "tests/support/host_faults.hpp"
#include "tests/support/net_namespace.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class HostInterface : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    network.ip("link add vifa address 02:00:00:00:00:0a type veth peer name vifb");
  }
  // What it is after `words`, which must have changed something.
  const host::HostInterfaceState& after(host::HostInterface& interface, const std::string& words) {
    network.ip(words);
    EXPECT_TRUE(readable(interface)) << words;
    EXPECT_TRUE(interface.update()) << words;
    return interface.state();
  }
  static bool readable(const host::HostInterface& interface) {
    pollfd waited{interface.fd(), POLLIN, 0};
    return ::poll(&waited, 1, 2000) == 1;
  }

  NetNamespace network;
};

TEST_F(HostInterface, says_what_is_and_what_changes) {
  auto opened = host::HostInterface::open("vifa");
  ASSERT_TRUE(opened) << opened.error().text;
  host::HostInterface& a = *opened;
  EXPECT_EQ(a.state().name, "vifa");
  EXPECT_EQ(a.state().lladdr.to_string(), "02:00:00:00:00:0a");
  EXPECT_EQ(a.state().mtu_bytes, 1500U);
  EXPECT_EQ(a.state().type, ARPHRD_ETHER);
  EXPECT_EQ(a.state().link_state(), net::LinkState::down);

  EXPECT_EQ(after(a, "link set vifa mtu 9000").mtu_bytes, 9000U);
  EXPECT_EQ(after(a, "link set vifa address 02:00:00:00:00:0c").lladdr.octets[5], 0x0c);
  EXPECT_EQ(after(a, "link set vifa name vifx").name, "vifx");
  EXPECT_TRUE(after(a, "link set vifx up").up);
  EXPECT_EQ(a.state().link_state(), net::LinkState::down) << "the other end is down";
  EXPECT_EQ(after(a, "link set vifb up").link_state(), net::LinkState::up);
  EXPECT_EQ(after(a, "link set vifb down").link_state(), net::LinkState::down);
  EXPECT_TRUE(after(a, "link del vifb").gone);
  EXPECT_EQ(a.state().link_state(), net::LinkState::down);
}

TEST_F(HostInterface, hears_nothing_of_others) {
  auto a = host::HostInterface::open("vifa");
  ASSERT_TRUE(a);
  network.ip("link add vifc type veth peer name vifd");
  network.ip("link set vifc up");
  network.ip("link del vifc");
  pollfd waited{a->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
  EXPECT_FALSE(a->update());
}

TEST_F(HostInterface, asks_again_when_messages_were_lost) {
  auto a = host::HostInterface::open("vifa");
  ASSERT_TRUE(a);
  for (int i = 0; i < 40; ++i) network.ip("link set vifa mtu " + std::to_string(2000 + i));
  network.ip("link set vifa up");
  {
    HostFaults host;
    host.fail("recv", EINTR, 1);
    host.fail("recv", ENOBUFS, 1, 1);
    EXPECT_TRUE(a->update());
  }
  EXPECT_EQ(a->state().mtu_bytes, 2039U);
  EXPECT_TRUE(a->state().up);
}

TEST_F(HostInterface, says_why_it_cannot) {
  const auto none = host::HostInterface::open("vifnone");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().number(), ENODEV);
  EXPECT_NE(none.error().text.find("vifnone"), std::string::npos);
  for (const char* call : {"socket", "setsockopt", "bind", "send"}) {
    HostFaults host;
    host.fail(call, EPERM);
    const auto refused = host::HostInterface::open("vifa");
    ASSERT_FALSE(refused) << call;
    EXPECT_EQ(refused.error().number(), EPERM) << call;
  }
}

}  // namespace
