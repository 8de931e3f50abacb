// SPDX-License-Identifier: BSD-2-Clause
// A domain under somebody else's event loop, which is a bare poll(2). Threads: loop_threads_test.cpp.
#include "hypercall/loop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/host_limits.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class ForeignLoop : public testing::Test {
 protected:
  static bool readable(const host::Loop& loop) {
    pollfd waited{loop.fd(), POLLIN, 0};
    return ::poll(&waited, 1, 0) == 1;
  }
  bool readable() const { return readable(*loop); }
  // Waits for the loop and lets it work, as its comment says.
  void turn() {
    int timeout_ms = -1;
    if (const auto deadline = loop->next_deadline()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - clock.now());
      timeout_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    pollfd waited{loop->fd(), POLLIN, 0};
    ::poll(&waited, 1, timeout_ms);
    loop->poll(64);
  }
  void settle() {
    while (loop->poll(64)) continue;
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  net::Domain& domain = loop->domain();
};

TEST_F(ForeignLoop, is_readable_exactly_when_there_is_work) {
  EXPECT_TRUE(readable()) << "before the first poll";
  EXPECT_FALSE(loop->poll(64));
  EXPECT_FALSE(readable());
  int ran = 0;
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(domain.post([&] { ++ran; }));
    ASSERT_TRUE(domain.post([&] { ++ran; }));
    EXPECT_TRUE(readable());
    EXPECT_FALSE(loop->poll(64));
    EXPECT_FALSE(readable());
  }
  EXPECT_EQ(ran, 200);
  loop->wake();
  EXPECT_TRUE(readable());
  EXPECT_FALSE(loop->poll(64));
  EXPECT_FALSE(readable());
}

TEST_F(ForeignLoop, counts_timers_that_are_set_before_the_first_poll_from_now) {
  EXPECT_LE(clock.now() - domain.now(), std::chrono::minutes(1)) << "the domain knows the time";
  bool rang = false;
  Callout bell(domain.callouts(), [&] { rang = true; });
  bell.schedule(domain.now() + std::chrono::hours(1));
  loop->poll(64);
  EXPECT_FALSE(rang);
}

TEST_F(ForeignLoop, stays_readable_while_there_is_more) {
  settle();
  int left = 5;
  std::function<void()> again = [&] {
    if (--left > 0) domain.defer(again);
  };
  domain.post(again);
  for (int rounds = 4; rounds > 0; --rounds) {
    EXPECT_TRUE(loop->poll(64));
    EXPECT_TRUE(readable());
  }
  EXPECT_FALSE(loop->poll(64));
  EXPECT_FALSE(readable());
  EXPECT_EQ(left, 0);
}

TEST_F(ForeignLoop, keeps_deadlines) {
  settle();
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  const Time begin = clock.now();
  std::vector<int> fired;
  Callout late(domain.callouts(), [&] { fired.push_back(2); });
  Callout soon(domain.callouts(), [&] { fired.push_back(1); });
  late.schedule(begin + std::chrono::milliseconds(20));
  soon.schedule(begin + std::chrono::milliseconds(5));
  EXPECT_EQ(loop->next_deadline(), begin + std::chrono::milliseconds(5));
  while (fired.size() < 2) turn();
  EXPECT_EQ(fired, (std::vector{1, 2}));
  EXPECT_GE(clock.now(), begin + std::chrono::milliseconds(20)) << "not before their time";
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
}

// virt0 always has more; virt1 gets its frames all the same, in every round.
TEST_F(ForeignLoop, lets_no_flooded_interface_starve_another) {
  host::LinuxFiles files;
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(domain);
  const char* kLinks[] = {"null:,rx=18446744073709551615", "mem:lan", "mem:lan"};
  std::vector<net::Ifnet*> ifps;
  for (const char* link : kLinks) {
    ifps.push_back(*interfaces.create("virt"));
    ASSERT_TRUE(ifps.back()->ioctl(net::SetLinkstr{link}));
    ASSERT_TRUE(ifps.back()->ioctl(net::SetFlags{ifps.back()->flags() | net::IFF_UP}));
  }
  for (int i = 0; i < 10; ++i) loop->poll(64);
  for (std::uint64_t round = 1; round <= 200; ++round) {
    ASSERT_TRUE(ifps[2]->transmit(domain.pool().copy_in(ether(ifps[1]->lladdr(), 0x88b5, counting(46)))));
    EXPECT_TRUE(loop->poll(64));
    ASSERT_EQ(ifps[1]->counters.read().ipackets, round);
  }
  EXPECT_EQ(ifps[0]->counters.read().ipackets, 210U * 64) << "and the flood has its budget";
}

TEST_F(ForeignLoop, cannot_be_made_without_a_descriptor) {
  VIF_NEEDS_DESCRIPTORS();
  const FewDescriptors none(0);
  const auto made = host::Loop::create(clock, random, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().number(), EMFILE);
  EXPECT_FALSE(made.error().text.empty());
}

TEST_F(ForeignLoop, is_one_of_many) {
  std::vector<std::unique_ptr<host::Loop>> loops;
  for (int i = 0; i < 20; ++i) {
    loops.push_back(std::move(*host::Loop::create(clock, random, {.pool = {.counts = {1, 0, 0, 0}, .external = 0}})));
    loops.back()->poll(64);
  }
  loops[7]->domain().post([] {});
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(readable(*loops[i]), i == 7);
}

}  // namespace
