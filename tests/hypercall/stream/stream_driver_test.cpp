// SPDX-License-Identifier: BSD-2-Clause
// Two interfaces on a Linux loop with a socket between them: every frame is somewhere, whoever comes and goes.
#include <gtest/gtest.h>
#include <poll.h>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/host_limits.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class StreamDriver : public testing::Test, public testing::WithParamInterface<const char*> {
 protected:
  net::Ifnet& running(const std::string& linkstr) {
    net::Ifnet& ifp = **interfaces.create("virt");
    const Status linked = ifp.ioctl(net::SetLinkstr{linkstr});
    EXPECT_TRUE(linked) << linked.error().text;
    EXPECT_TRUE(ifp.ioctl(net::SetPromisc{true}));
    EXPECT_TRUE(set_up(ifp, true));
    return ifp;
  }
  static Status set_up(net::Ifnet& ifp, bool up) {
    return ifp.ioctl(net::SetFlags{up ? ifp.flags() | net::IFF_UP : ifp.flags() & ~std::uint32_t{net::IFF_UP}});
  }
  // Until there is nothing to do without waiting: what one link does makes another's descriptor ready.
  void settle() {
    pollfd waited{loop->fd(), POLLIN, 0};
    do loop->poll(64);
    while (::poll(&waited, 1, 0) > 0);
  }
  // Lets time pass until `done`, for the callouts; at most some seconds.
  template <class Done>
  bool wait_for(Done done) {
    const Time end = clock.now() + std::chrono::seconds(5);
    for (loop->poll(64); !done() && clock.now() < end;) loop->poll(64);
    return done();
  }
  void expect_sums(const net::Ifnet& ifp, std::uint64_t offered) {
    const net::IfData data = ifp.counters.read();
    EXPECT_EQ(data.offered() + ifp.snd.size(), offered) << ifp.name();
  }
  // Offers `count` frames at once.
  void offer(net::Ifnet& ifp, std::size_t count, std::size_t bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      static_cast<void>(ifp.transmit(loop->domain().pool().copy_in(ether(kPeerMac, 0x88b5, counting(bytes - 14)))));
    }
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  TempFolder folder;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(*loop);
  const std::string path = "stream:" + folder / "wire.sock";
};

// More than the socket holds, so that queues fill and drain.
TEST_P(StreamDriver, loses_nothing_uncounted_when_flooded) {
  net::Ifnet& server = running(path + ",listen" + GetParam());
  net::Ifnet& client = running(path + GetParam());
  settle();
  ASSERT_EQ(server.link_state(), net::LinkState::up);
  std::uint64_t offered = 0;
  for (int round = 0; round < 200; ++round, offered += 300) {
    offer(client, 300, 60 + static_cast<std::size_t>(round) * 7);
    if (round % 8 == 7) settle();
  }
  settle();
  const net::IfData sent = client.counters.read(), received = server.counters.read();
  expect_sums(client, offered);
  EXPECT_GT(sent.oqdrops, 0U) << "it was a flood";
  EXPECT_EQ(sent.opackets + sent.oqdrops, offered);
  EXPECT_EQ(received.received(), sent.opackets);
  EXPECT_EQ(received.ipackets, sent.opackets);
}

TEST_P(StreamDriver, follows_who_comes_and_goes) {
  net::Ifnet& client = running(path + ",reconnect" + GetParam());
  net::Ifnet* server = &running(path + ",listen" + GetParam());
  std::uint64_t offered = 0;
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(wait_for([&] { return client.link_state() == net::LinkState::up; }));
    settle();
    EXPECT_EQ(server->link_state(), net::LinkState::up);
    offer(client, 10, 100);
    settle();
    EXPECT_EQ(server->counters.read().ipackets, 10U);
    offer(client, 10, 100);
    offered += 20;
    ASSERT_TRUE(interfaces.destroy(server->name()));
    settle();
    EXPECT_EQ(client.link_state(), net::LinkState::down);
    offer(client, 5, 100);
    offered += 5;
    expect_sums(client, offered);
    server = &running(path + ",listen" + GetParam());
  }
}

TEST_P(StreamDriver, stops_and_starts_again) {
  net::Ifnet& server = running(path + ",listen" + GetParam());
  net::Ifnet& client = running(path + GetParam());
  settle();
  for (int round = 1; round <= 5; ++round) {
    ASSERT_TRUE(set_up(server, false));
    offer(client, 3, 60);
    settle();
    ASSERT_TRUE(set_up(server, true));
    settle();
    EXPECT_EQ(server.counters.read().ipackets, static_cast<std::uint64_t>(round) * 3);
  }
}

INSTANTIATE_TEST_SUITE_P(Framings, StreamDriver, testing::Values("", ",framing=bess"),
                         [](const auto& options) { return options.index == 0 ? "qemu" : "bess"; });

TEST(StreamWithoutLoop, says_that_it_needs_one) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  const auto loop = std::move(*host::Loop::create(clock, random, {.pool = kSmallPool}));
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(loop->domain());
  const Status linked = (*interfaces.create("virt0"))->ioctl(net::SetLinkstr{"stream:/x,listen"});
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().number(), ENOTSUP);
}

}  // namespace
