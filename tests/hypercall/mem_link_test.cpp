// SPDX-License-Identifier: BSD-2-Clause
// A segment with several ports, by one thread. What every backend must do: tests/conformance. Threads:
// mem_link_threads_test.cpp.
#include "hypercall/mem_link.hpp"

#include <gtest/gtest.h>

#include "hypercall/sim/sim_host.hpp"
#include "tests/conformance/recording_sink.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class MemSegment : public testing::Test {
 protected:
  std::unique_ptr<RecordedLink> port(const std::string& linkstr, bool started = true) {
    auto opened = segments.open(*drv::Linkstr::parse(linkstr), owner);
    EXPECT_TRUE(opened);
    auto port = std::make_unique<RecordedLink>();
    port->link = std::move(*opened);
    if (started) port->start();
    return port;
  }
  SomeOwner owner;
  host::sim::SimClock clock;
  host::MemSegments segments{clock};
};

TEST_F(MemSegment, reaches_every_other_port_and_never_its_own) {
  std::vector<std::unique_ptr<RecordedLink>> ports;
  for (int i = 0; i < 5; ++i) ports.push_back(port("mem:lan"));
  for (unsigned i = 0; i < 5; ++i) ports[i]->send(Frame(60, static_cast<std::byte>(i)));
  for (unsigned i = 0; i < 5; ++i) {
    ports[i]->drain_all();
    ASSERT_EQ(ports[i]->sink.frames.size(), 4U);
    for (const WireFrame& frame : ports[i]->sink.frames) EXPECT_NE(frame.bytes[0], static_cast<std::byte>(i));
    ports[i]->stop();
  }
}

TEST_F(MemSegment, is_known_by_its_name) {
  const auto a = port("mem:one"), b = port("mem:one"), c = port("mem:two"), d = port("mem:%6fne");
  EXPECT_EQ(a->send(counting(60)).taken, 1U);
  for (RecordedLink* link : {a.get(), b.get(), c.get(), d.get()}) link->drain_all();
  EXPECT_EQ(b->sink.frames.size(), 1U);
  EXPECT_EQ(c->sink.frames.size(), 0U);
  EXPECT_EQ(d->sink.frames.size(), 1U) << "a name is what it decodes to";
  for (RecordedLink* link : {a.get(), b.get(), c.get(), d.get()}) link->stop();
}

TEST_F(MemSegment, is_another_one_in_another_instance) {
  host::MemSegments others(clock);
  const auto a = port("mem:lan");
  auto opened = others.open(*drv::Linkstr::parse("mem:lan"), owner);
  RecordedLink b;
  b.link = std::move(*opened);
  b.start();
  a->send(counting(60));
  b.drain_all();
  EXPECT_TRUE(b.sink.frames.empty());
  a->stop();
  b.stop();
}

TEST_F(MemSegment, gives_nothing_to_a_port_that_is_not_started) {
  const auto a = port("mem:lan"), b = port("mem:lan", false);
  a->send(counting(60));
  b->start();
  b->drain_all();
  EXPECT_TRUE(b->sink.frames.empty());
  a->send(counting(61));
  b->drain_all();
  EXPECT_EQ(b->sink.frames.size(), 1U);
  a->stop();
  b->stop();
}

TEST_F(MemSegment, lets_a_slow_port_overrun_alone) {
  const auto a = port("mem:lan"), slow = port("mem:lan"), quick = port("mem:lan");
  for (int i = 0; i < 1500; ++i) {
    a->send(counting(60));
    quick->drain_all();
  }
  slow->drain_all();
  EXPECT_EQ(quick->sink.frames.size(), 1500U);
  EXPECT_EQ(slow->sink.frames.size() + slow->sink.lost(DropReason::rx_overrun), 1500U);
  EXPECT_GT(slow->sink.lost(DropReason::rx_overrun), 0U);
  for (RecordedLink* link : {a.get(), slow.get(), quick.get()}) link->stop();
}

TEST_F(MemSegment, stamps_frames_when_they_are_sent) {
  const auto a = port("mem:lan"), b = port("mem:lan");
  const std::int64_t sent_ns = clock.wall_ns();
  a->send(counting(60));
  clock.set(Time(1'000'000));
  a->send(counting(60));
  clock.set(Time(9'000'000));
  b->drain_all();
  EXPECT_EQ(b->sink.timestamps_ns, (std::vector{sent_ns, sent_ns + 1'000'000}));
  a->stop();
  b->stop();
}

TEST_F(MemSegment, goes_on_when_ports_leave) {
  auto a = port("mem:lan"), b = port("mem:lan"), c = port("mem:lan");
  b->stop();
  b.reset();
  EXPECT_EQ(a->send(counting(60)).taken, 1U);
  c->drain_all();
  EXPECT_EQ(c->sink.frames.size(), 1U);
  a->stop();
  a.reset();
  EXPECT_EQ(c->send(counting(60)).taken, 1U) << "to nobody";
  c->stop();
}

}  // namespace
