// SPDX-License-Identifier: BSD-2-Clause
// Frames through a TAP, both ways: none lost, none changed, none out of order, whichever of the calls moved them; and
// what we do not want is not even read.
#include <thread>

#include "tests/hypercall/tap/tap_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class TapFrames : public TapRig, public testing::WithParamInterface<const char*> {
 protected:
  WireFrames sent() { return far->receive_all(); }
};

TEST_P(TapFrames, come_in_order_in_bursts_of_any_length_and_size) {
  up(GetParam());
  for (const std::size_t count : {1UL, 3UL, 4UL, 5UL, 37UL, 64UL, 400UL}) {
    for (const std::size_t bytes : {60UL, 1514UL}) {
      tap.sink.frames.clear();
      from_host(many_to_us(count, bytes));
      settle();
      EXPECT_TRUE(tap.sink.frames == many_to_us(count, bytes)) << count << " of " << bytes << " bytes";
    }
  }
  EXPECT_EQ(tap.sink.losses, decltype(tap.sink.losses){});
}

TEST_P(TapFrames, go_in_order_in_bursts_of_any_length_and_size) {
  up(GetParam());
  for (const std::size_t count : {1UL, 3UL, 4UL, 5UL, 37UL, 64UL, 150UL}) {
    for (const std::size_t bytes : {60UL, 1514UL, 3000UL}) {
      for (const std::size_t slices : {1UL, 3UL}) {
        const drv::SendResult result = tap.send(many_to_us(count, bytes), slices);
        EXPECT_EQ(result.taken, count);
        EXPECT_TRUE(sent() == many_to_us(count, bytes)) << count << " of " << bytes << " bytes";
      }
    }
  }
}

// What goes by the batch and what does not must not overtake each other.
TEST_P(TapFrames, of_all_sizes_keep_their_order) {
  up(GetParam());
  WireFrames mixed;
  for (std::uint16_t i = 0; i < 60; ++i) {
    mixed.push_back(to_us(i % 7 == 0 ? 5000 : 60 + i));
    store_be16(mixed.back().bytes.data() + 14, i);
  }
  EXPECT_EQ(tap.send(mixed).taken, mixed.size());
  EXPECT_TRUE(sent() == mixed);
}

TEST_P(TapFrames, cost_few_system_calls_in_bursts) {
  up(GetParam());
  if (tap.link.chosen.find("io_uring") == std::string::npos) GTEST_SKIP() << tap.link.chosen;
  const HostFaults host;
  from_host(many_to_us(400));
  settle();
  EXPECT_EQ(tap.sink.frames.size(), 400U);
  EXPECT_LT(host.calls("read"), 20);
  EXPECT_EQ(tap.send(many_to_us(64)).taken, 64U);
  EXPECT_EQ(host.calls("writev"), 0);
}

TEST_P(TapFrames, that_are_not_wanted_are_not_read) {
  up(GetParam());
  const net::MacAddress stranger{{0x02, 9, 9, 9, 9, 9}}, other_group{{0x01, 0x00, 0x5e, 0, 0, 1}};
  std::vector<net::MacRange> groups = {net::MacRange::single(kGroupMac)};
  const auto pass = [&](const drv::ReceiveFilter& filter) {
    tap.link.port->set_receive_filter(filter);
    tap.sink.frames.clear();
    for (const net::MacAddress& dst : {kOurMac, net::kBroadcast, kGroupMac, other_group, stranger}) {
      (void)far->send(to_us(60, dst));
    }
    settle();
    return tap.sink.frames.size();
  };
  EXPECT_EQ(pass({.lladdr = kOurMac}), 2U);
  EXPECT_EQ(pass({.lladdr = kOurMac, .groups = groups}), 3U);
  EXPECT_EQ(pass({.lladdr = kOurMac, .allmulti = true}), 4U);
  EXPECT_EQ(pass({.lladdr = kOurMac, .promisc = true}), 5U);
  EXPECT_EQ(pass({.lladdr = stranger}), 2U);
  groups = {{{{0x01, 0x00, 0x5e, 0, 0, 0}}, {{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xff}}}};
  EXPECT_GE(pass({.lladdr = kOurMac, .groups = groups}), 4U) << "a range";
}

// The kernel compares eight addresses and hashes the rest.
TEST_P(TapFrames, of_many_groups_all_come) {
  up(GetParam());
  std::vector<net::MacRange> groups;
  for (std::uint8_t i = 0; i < 40; ++i) groups.push_back(net::MacRange::single({{0x01, 0x00, 0x5e, 1, 2, i}}));
  tap.link.port->set_receive_filter({.lladdr = kOurMac, .groups = groups});
  for (const net::MacRange& group : groups) from_host({to_us(60, group.lo)});
  from_host({to_us()});
  settle();
  EXPECT_EQ(tap.sink.frames.size(), 41U);
}

// A loop may run where it likes, but on one thread at a time; an io_uring is one thread's.
TEST_P(TapFrames, go_on_when_the_domain_moves_to_another_thread) {
  up(GetParam());
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      EXPECT_EQ(tap.send(many_to_us(40)).taken, 40U);
      from_host(many_to_us(100));
      tap.drain_all();
    }).join();
    EXPECT_TRUE(sent() == many_to_us(40));
    EXPECT_TRUE(std::exchange(tap.sink.frames, {}) == many_to_us(100));
  }
  EXPECT_EQ(tap.sink.losses, decltype(tap.sink.losses){});
}

INSTANTIATE_TEST_SUITE_P(Offload, TapFrames, testing::Values("", ",offload=off"),
                         [](const auto& offload) { return std::string(*offload.param == '\0' ? "on" : "off"); });

}  // namespace
