// SPDX-License-Identifier: BSD-2-Clause
// Exits of children without the kernel's connector.
#include "hypercall/connector/child_watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>

#include "tests/hypercall/connector/live_rig.hpp"

namespace {

using namespace vif;
using cn::test::take_all;

class Children : public testing::Test {
 protected:
  Children() {
    (void)listener.join(1);
    const auto listen = cn::write_request({.wishes = {}});
    bus.receive({.id = cn::kProcId, .payload = listen}, {.subscriber = &listener});
    (void)take_all(listener);
  }
  // The exit of a child that does `what`.
  cn::ProcEvent end_of(const std::function<int()>& what) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(what());
    EXPECT_TRUE(watch->add(pid));
    pollfd waiting{watch->fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 10'000), 1);
    watch->drain();
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid) << "the program's own wait still finds it";
    const auto got = take_all(listener);
    EXPECT_EQ(cn::test::names(got), "EXIT");
    const cn::ProcEvent event = got.empty() ? cn::ProcEvent{} : got[0].event();
    EXPECT_EQ(event.pid, pid);
    EXPECT_EQ(event.exit_code, static_cast<std::uint32_t>(status));
    return event;
  }

  host::LinuxClock clock;
  cn::Bus bus;
  std::unique_ptr<cn::ProcConnector> proc = std::move(*cn::ProcConnector::attach(bus, clock, {}));
  cn::Subscriber listener{bus};
  std::unique_ptr<host::ChildWatch> watch = std::move(*host::ChildWatch::create(*proc));
};

TEST_F(Children, are_told_of_with_their_status) {
  EXPECT_EQ(end_of([] { return 3; }).exit_code, 0x300U);
  EXPECT_EQ(end_of([] { return ::raise(SIGKILL); }).exit_code, 9U);
}

TEST_F(Children, have_to_be_there) {
  const Status nobody = watch->add(INT32_MAX);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().number(), ESRCH);
  watch->drain();
  EXPECT_TRUE(take_all(listener).empty());
}

}  // namespace
