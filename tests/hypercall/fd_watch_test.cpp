// SPDX-License-Identifier: BSD-2-Clause
// Many descriptors and one watch: everybody is told, in turn, and once an edge.
#include "hypercall/fd_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <vector>

#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "tests/hypercall/host_limits.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// A link that counts how often it was told.
struct Told final : drv::LinkSink {
  void deliver(std::span<const drv::RxFrame>) override {}
  void ready() override { ++times; }
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t) override {}
  int times = 0;
};

class Watching : public testing::Test {
 protected:
  static constexpr std::size_t kMany = 200;

  void SetUp() override {
    VIF_NEEDS_DESCRIPTORS();
    for (std::size_t i = 0; i < kMany; ++i) {
      fds.emplace_back(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      ASSERT_TRUE(watch.add(fds.back().get(), links[i]));
    }
  }
  void happens(std::size_t which) { ASSERT_EQ(::eventfd_write(fds[which].get(), 1), 0); }
  void all_happen() {
    for (std::size_t i = 0; i < kMany; ++i) happens(i);
  }
  std::size_t told() const {
    std::size_t count = 0;
    for (const Told& link : links) count += link.times > 0;
    return count;
  }

  host::FdWatch watch = std::move(*host::FdWatch::create());
  std::vector<host::UniqueFd> fds;
  std::array<Told, kMany> links;
};

TEST_F(Watching, tells_everybody_however_many_there_are_and_says_that_there_are_more) {
  all_happen();
  int rounds = 1;
  for (; watch.collect().more; ++rounds) ASSERT_LT(rounds, 10);
  EXPECT_EQ(told(), kMany);
  EXPECT_GT(rounds, 1);
  for (const Told& link : links) EXPECT_EQ(link.times, 1) << "an edge is told once";
  EXPECT_FALSE(watch.collect().more);
  for (const Told& link : links) EXPECT_EQ(link.times, 1);
}

// Something new happens to a few, all the time.
TEST_F(Watching, lets_no_busy_few_keep_the_others_waiting) {
  all_happen();
  for (int round = 0; round < 8; ++round) {
    for (std::size_t busy = 0; busy < 64; ++busy) happens(busy);
    watch.collect();
  }
  EXPECT_EQ(told(), kMany);
}

TEST_F(Watching, finds_its_wake_up_among_many) {
  const host::UniqueFd wake_up(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  ASSERT_TRUE(watch.add_wake_up(wake_up.get()));
  all_happen();
  bool woken = false;
  for (int round = 0; round < 4; ++round) woken |= watch.collect().woken;
  EXPECT_TRUE(woken);
  EXPECT_TRUE(watch.collect().woken) << "as long as it is not read";
}

TEST_F(Watching, tells_nobody_who_was_removed) {
  happens(3);
  watch.remove(fds[3].get());
  watch.remove(fds[3].get());  // harmless
  watch.collect();
  EXPECT_EQ(told(), 0U);
}

// Else a loop that polls until there is no more would leave them lying.
TEST_F(Watching, keeps_its_loop_going_until_everybody_was_told) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  const auto loop = std::move(*host::Loop::create(clock, random, {.pool = {.counts = {1, 0, 0, 0}, .external = 0}}));
  for (std::size_t i = 0; i < kMany; ++i) ASSERT_TRUE(loop->watch().add(fds[i].get(), links[i]));
  all_happen();
  for (int rounds = 0; loop->poll(64); ++rounds) ASSERT_LT(rounds, 10);
  EXPECT_EQ(told(), kMany);
}

TEST(FdWatch, reports_what_cannot_be_watched) {
  VIF_NEEDS_DESCRIPTORS();
  host::FdWatch watch = std::move(*host::FdWatch::create());
  Told link;
  EXPECT_EQ(watch.add(-1, link).error().number(), EBADF);
  const host::UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(watch.add(file.get(), link).error().number(), EPERM);
  HostFaults faults;
  faults.fail("epoll_ctl", ENOSPC);
  EXPECT_EQ(watch.add(file.get(), link).error().number(), ENOSPC);
  EXPECT_EQ(watch.add_wake_up(file.get()).error().number(), ENOSPC);
  faults.fail("epoll_create1", EMFILE);
  const auto none = host::FdWatch::create();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().number(), EMFILE);
}

TEST_F(Watching, tells_nothing_while_the_host_cannot_say) {
  all_happen();
  {
    HostFaults faults;
    faults.fail("epoll_wait", EINTR);
    EXPECT_FALSE(watch.collect().woken);
    EXPECT_EQ(told(), 0U);
  }
  while (watch.collect().more) continue;
  EXPECT_EQ(told(), kMany) << "later it does";
}

}  // namespace
