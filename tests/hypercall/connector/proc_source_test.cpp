// SPDX-License-Identifier: BSD-2-Clause
// Where events come from is chosen by what the host allows, and said.
#include "hypercall/connector/proc_source.hpp"

#include <gtest/gtest.h>

#include "tests/hypercall/connector/live_rig.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using cn::test::take_all;

class Source : public testing::Test {
 protected:
  Source() {
    (void)listener.join(1);
    bus.receive({.id = cn::kProcId, .payload = cn::test::words(1)}, {.subscriber = &listener});
    (void)take_all(listener);
  }
  // What is told of a child that ends with 3, of which the source was told.
  std::string told_of_child(host::ProcSource& source) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      char go = 0;
      (void)!::read(ends[0], &go, 1);
      ::_exit(3);
    }
    EXPECT_TRUE(source.add_child(pid));
    EXPECT_EQ(::write(ends[1], "", 1), 1);
    std::vector<cn::test::Got> told;
    for (int tries = 0; tries < 200; ++tries) {
      pollfd waiting{source.fd(), POLLIN, 0};
      (void)::poll(&waiting, 1, 50);
      EXPECT_TRUE(source.drain());
      for (cn::test::Got& got : take_all(listener)) {
        if (got.event().pid == pid) told.push_back(std::move(got));
      }
      if (!told.empty() && told.back().event().what == cn::What::exit) break;
    }
    ::waitpid(pid, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    if (!told.empty()) {
      EXPECT_EQ(told.back().event().exit_code, 3U << 8);
    }
    return cn::test::names(told);
  }

  host::LinuxClock clock;
  cn::Bus bus;
  std::unique_ptr<cn::ProcConnector> proc = std::move(*cn::ProcConnector::attach(bus, clock, {}));
  cn::Subscriber listener{bus};
};

TEST_F(Source, is_the_kernel_where_it_may_be) {
  LiveBus live;
  VIF_NEED_BRIDGE(live);
  const auto source = host::ProcSource::open(*proc);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->refusal(), nullptr);
  EXPECT_EQ(told_of_child(**source), "FORK EXIT");
}

TEST_F(Source, is_the_own_children_where_the_kernel_refuses_and_says_so) {
  for (const int refusal : {EPROTONOSUPPORT, EPERM, EAFNOSUPPORT}) {
    HostFaults faults;
    faults.fail("socket", refusal);
    const auto source = host::ProcSource::open(*proc);
    ASSERT_TRUE(source) << refusal;
    ASSERT_NE((*source)->refusal(), nullptr);
    EXPECT_EQ((*source)->refusal()->number(), refusal);
    EXPECT_NE((*source)->refusal()->text.find("only the exits of own children"), std::string::npos);
    EXPECT_EQ(told_of_child(**source), "EXIT");
  }
}

TEST_F(Source, is_none_where_the_host_is_only_short_of_something) {
  HostFaults faults;
  faults.fail("socket", EMFILE);
  const auto source = host::ProcSource::open(*proc);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().number(), EMFILE);
}

}  // namespace
