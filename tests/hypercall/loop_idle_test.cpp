// SPDX-License-Identifier: BSD-2-Clause
// What a loop costs when nothing happens: nothing, however many interfaces it has. Counted in calls and in processor
// time, never in time on the wall. And what many busy interfaces do to a quiet one: nothing.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

class ManyInterfaces : public testing::Test {
 protected:
  net::Ifnet& up(const std::string& linkstr) {
    net::Ifnet& ifp = **interfaces.create("virt");
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{linkstr}));
    EXPECT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
    return ifp;
  }
  void settle() {
    while (loop->poll(64)) continue;
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  net::Domain& domain = loop->domain();
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(*loop);
};

TEST_F(ManyInterfaces, sleep_when_a_thousand_are_idle) {
  for (int i = 0; i < 1'000; ++i) up("mem:lan" + std::to_string(i));
  settle();
  const HostFaults counts;
  const auto usage = [] {
    rusage now{};
    ::getrusage(RUSAGE_THREAD, &now);
    return now;
  };
  const auto cpu_us = [](const rusage& used) {
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  };
  host::Runner runner(*loop);
  Callout end(domain.callouts(), [&] { runner.stop(); });
  end.schedule(clock.now() + 1s);
  const rusage before = usage();
  ASSERT_TRUE(runner.run());
  const rusage after = usage();
  EXPECT_LE(counts.calls("epoll_wait"), 20) << "rounds in a second of sleep";
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 10) << "sleeps";
  EXPECT_LT(cpu_us(after) - cpu_us(before), 50'000) << "us of processor time";
}

TEST_F(ManyInterfaces, leave_a_foreign_loop_asleep_when_idle) {
  for (int i = 0; i < 1'000; ++i) up("mem:lan" + std::to_string(i % 10));
  settle();
  pollfd waited{loop->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 100), 0) << "nothing to wake up for";
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
}

// Each of a hundred always has more; a quiet pair is served in every round all the same, and the hundred share alike.
TEST_F(ManyInterfaces, are_served_in_every_round_beside_a_hundred_flooded) {
  std::vector<net::Ifnet*> flooded;
  for (int i = 0; i < 100; ++i) flooded.push_back(&up("null:,rx=18446744073709551615"));
  net::Ifnet& from = up("mem:quiet");
  net::Ifnet& to = up("mem:quiet");
  loop->poll(64);
  const std::uint64_t begun = flooded[0]->counters.read().ipackets;
  for (std::uint64_t round = 1; round <= 100; ++round) {
    ASSERT_TRUE(from.transmit(domain.pool().copy_in(ether(to.lladdr(), 0x88b5, counting(46)))));
    EXPECT_TRUE(loop->poll(64));
    ASSERT_EQ(to.counters.read().ipackets, round);
  }
  for (const net::Ifnet* ifp : flooded) EXPECT_EQ(ifp->counters.read().ipackets, begun + 6400) << ifp->name();
}

// A callout is not kept waiting either: it runs in the first round after its time.
TEST_F(ManyInterfaces, keep_no_callout_waiting_when_flooded) {
  for (int i = 0; i < 100; ++i) up("null:,rx=18446744073709551615");
  loop->poll(64);
  bool fired = false;
  Callout callout(domain.callouts(), [&] { fired = true; });
  const Time due = clock.now() + 2ms;
  callout.schedule(due);
  while (clock.now() < due) {
    EXPECT_FALSE(fired && domain.now() < due) << "not before its time";
    loop->poll(64);
  }
  loop->poll(64);
  EXPECT_TRUE(fired);
}

}  // namespace
