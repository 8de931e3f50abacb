// SPDX-License-Identifier: BSD-2-Clause
// Our own event loop: that it runs everything, and that it ends. A fault shows as a test that never ends, or under
// TSan.
#include "hypercall/run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/host_limits.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class Running : public testing::Test {
 protected:
  host::LinuxClock clock;
  host::LinuxRandom random;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  net::Domain& domain = loop->domain();
};

TEST_F(Running, ends_when_stopped_from_another_thread) {
  host::Runner runner(*loop);
  std::atomic<bool> polled{false};
  std::thread other([&] {
    while (!domain.post([&] { polled = true; })) continue;
    while (!polled) std::this_thread::yield();
    runner.stop();
  });
  EXPECT_TRUE(runner.run());
  other.join();
  EXPECT_TRUE(polled);
}

TEST_F(Running, ends_at_once_when_stopped_before) {
  host::Runner runner(*loop);
  runner.stop();
  EXPECT_TRUE(runner.run());
}

TEST_F(Running, ends_when_stopped_from_the_inside) {
  host::Runner runner(*loop);
  domain.post([&] { runner.stop(); });
  EXPECT_TRUE(runner.run());
}

TEST_F(Running, ends_under_endless_work) {
  host::LinuxFiles files;
  host::Instance instance({clock, files});
  net::Ifnet& ifp = **instance.attach(domain).create("virt0");
  ASSERT_TRUE(ifp.ioctl(net::SetLinkstr{"null:,rx=18446744073709551615"}));
  ASSERT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
  host::Runner runner(*loop);
  std::thread other([&] {
    while (ifp.counters.ipackets.get() < 10'000) std::this_thread::yield();
    runner.stop();
  });
  EXPECT_TRUE(runner.run());
  other.join();
}

TEST_F(Running, ends_on_sigterm_and_sigint_when_asked_to) {
  for (const int number : {SIGTERM, SIGINT}) {
    host::Runner runner(*loop);
    ASSERT_TRUE(runner.stop_on_signals());
    domain.post([&] { std::raise(number); });
    EXPECT_TRUE(runner.run());
  }
}

TEST_F(Running, leaves_signals_alone_unless_asked) {
  struct sigaction before {
  }, during{};
  sigaction(SIGTERM, nullptr, &before);
  host::Runner runner(*loop);
  sigaction(SIGTERM, nullptr, &during);
  EXPECT_EQ(before.sa_handler, during.sa_handler);
}

TEST_F(Running, fires_callouts) {
  host::Runner runner(*loop);
  int fired = 0;
  Callout callout(domain.callouts(), [&] {
    if (++fired < 5) callout.schedule(domain.now() + std::chrono::milliseconds(2));
    else runner.stop();
  });
  callout.schedule(clock.now() + std::chrono::milliseconds(2));
  EXPECT_TRUE(runner.run());
  EXPECT_EQ(fired, 5);
}

// No wake-up speaks of them: the loop was polled already.
TEST_F(Running, fires_callouts_that_were_scheduled_between_a_poll_and_run) {
  while (loop->poll(64)) continue;
  host::Runner runner(*loop);
  Callout callout(domain.callouts(), [&] { runner.stop(); });
  callout.schedule(clock.now() + std::chrono::milliseconds(2));
  EXPECT_TRUE(runner.run());
}

TEST_F(Running, reports_a_host_without_descriptors_and_leaves_the_loop_whole) {
  VIF_NEEDS_DESCRIPTORS();
  bool ran = false;
  for (rlim_t spare = 0; !ran; ++spare) {
    ASSERT_LT(spare, 20U);
    const FewDescriptors few(spare);
    host::Runner runner(*loop);
    const Status signals = runner.stop_on_signals();
    EXPECT_TRUE(signals || signals.error().number() == EMFILE) << signals.error().text;
    domain.post([&] { runner.stop(); });
    const Status status = runner.run();
    EXPECT_TRUE(status || status.error().number() == EMFILE) << status.error().text;
    EXPECT_NE(::fcntl(loop->fd(), F_GETFD), -1) << "the loop's descriptor is closed";
    ran = signals.has_value() && status.has_value();
    while (loop->poll(64)) continue;
  }
}

}  // namespace
