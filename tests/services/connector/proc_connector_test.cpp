// SPDX-License-Identifier: BSD-2-Clause
// The process connector in a safe bus, and what both modes share. The conformance list's numbers (C1 to C21) stand in
// the names of its tests.
#include "services/connector/proc_connector.hpp"

#include <gtest/gtest.h>

#include "tests/services/connector/proc_rig.hpp"

namespace {

using namespace vif;
using namespace vif::cn;
using namespace vif::cn::test;

constexpr std::uint32_t kListen = 1, kIgnore = 2;

class Proc : public testing::TestWithParam<Mode> {
 protected:
  ProcRig rig{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Modes, Proc, testing::Values(Mode::safe, Mode::kernel),
                         [](const auto& mode) { return mode.param == Mode::safe ? "safe" : "kernel"; });

TEST_P(Proc, C1_acknowledges_a_listen) {
  Subscriber& client = rig.join();
  rig.say(client, words(kListen));
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].bytes.size() + kNetlinkHeaderBytes, 76U);
  EXPECT_EQ(got[0].message().id, kProcId);
  EXPECT_EQ(got[0].message().ack, 0x5501U);
  EXPECT_EQ(got[0].message().payload.size(), 40U);
  EXPECT_EQ(got[0].message().flags, 0U);
  EXPECT_EQ(got[0].event().error, 0U);
  EXPECT_EQ(got[0].event().timestamp_ns, 1000U);
}

TEST_P(Proc, C2_does_nothing_for_a_request_of_no_known_length) {
  Subscriber& client = rig.join();
  for (const std::size_t bytes : {0U, 2U, 5U}) {
    ByteVector payload = words(kListen, 0);
    payload.resize(bytes);
    rig.say(client, payload);
  }
  for (const Got& got : take_all(client)) EXPECT_EQ(got.event().error, static_cast<std::uint32_t>(EINVAL));
  EXPECT_FALSE(rig.proc->anybody_listens());
}

TEST_P(Proc, C3_does_nothing_for_another_id) {
  Subscriber& client = rig.join();
  const ByteVector listen = words(kListen);
  for (const CbId id : {CbId{1, 2}, CbId{77, 1}}) {
    rig.bus.receive(datagram_bytes({.id = id, .payload = listen}), {.subscriber = &client});
  }
  EXPECT_TRUE(take_all(client).empty());
  EXPECT_FALSE(rig.proc->anybody_listens());
}

TEST_P(Proc, C5_looks_at_the_first_message_of_a_datagram) {
  Subscriber& client = rig.listener();
  const ByteVector bad = words(88);
  ByteVector two = datagram_bytes({.id = kProcId, .ack = 200, .payload = bad});
  const ByteVector second = datagram_bytes({.id = kProcId, .ack = 210, .payload = bad});
  two.insert(two.end(), second.begin(), second.end());
  rig.bus.receive(two, {.subscriber = &client});
  const auto got = take_all(client);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].message().ack, 201U);
}

struct Row {
  Mask mask;
  const char* seen;
};
TEST_P(Proc, C7_lets_through_what_the_mask_says) {
  const Mask fork = 1, exec = 2, exit = 0x8000'0000, nonzero = 0x2000'0000;
  for (const Row& row :
       {Row{fork, "FORK FORK"}, Row{exec, "EXEC EXEC"}, Row{exit, "EXIT EXIT"}, Row{nonzero, "EXIT"},
        Row{nonzero | fork, "FORK FORK EXIT"}, Row{exit | nonzero, "EXIT EXIT"},
        Row{0, "FORK EXEC EXIT FORK EXEC EXIT"}, Row{0x8, "FORK EXEC EXIT FORK EXEC EXIT"},
        Row{0x8 | fork, "FORK FORK"}, Row{kMaskAll, "FORK EXEC EXIT FORK EXEC EXIT"},
        Row{~Mask{0}, "FORK EXEC EXIT FORK EXEC EXIT"}, Row{kMaskAll & ~fork, "EXEC EXIT EXEC EXIT"}}) {
    Subscriber& client = rig.listener(row.mask);
    rig.live(20, 0);
    rig.live(21, 9);
    EXPECT_EQ(names(take_all(client)), row.seen) << std::hex << row.mask;
    rig.say(client, words(kIgnore));
  }
}

TEST_P(Proc, C9_changes_the_mask_at_once) {
  Subscriber& client = rig.listener(bit(What::exit));
  rig.say(client, words(kListen, bit(What::fork)));
  take_all(client);
  rig.live(20, 3);
  EXPECT_EQ(names(take_all(client)), "FORK");
}

TEST_P(Proc, C10_stops_at_the_first_ignore_however_often_it_listened) {
  Subscriber& client = rig.join();
  rig.say(client, words(kIgnore));
  for (const std::uint32_t op : {kListen, kListen, kIgnore}) rig.say(client, words(op));
  take_all(client);
  rig.live(20, 0);
  EXPECT_TRUE(take_all(client).empty());
  EXPECT_FALSE(rig.proc->anybody_listens());
  rig.say(client, words(kIgnore));
  Subscriber& other = rig.listener();
  rig.live(20, 0);
  EXPECT_EQ(names(take_all(other)), "FORK EXEC EXIT") << "a second ignore counts nobody away";
}

TEST_P(Proc, C11_gives_two_listeners_the_same_bytes) {
  Subscriber& a = rig.listener();
  Subscriber& b = rig.listener();
  take_all(a);
  rig.live(20, 3);
  const auto one = take_all(a), two = take_all(b);
  ASSERT_EQ(one.size(), 3U);
  ASSERT_EQ(two.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(one[i].bytes, two[i].bytes);
}

TEST_P(Proc, C19_stamps_with_the_clock_unless_told_when) {
  Subscriber& client = rig.listener();
  rig.clock.at = Time(5000);
  rig.fork(20);
  rig.clock.at = Time(4000);  // a clock that steps back is shown as it is
  rig.fork(21);
  rig.proc->publish({.what = What::fork, .timestamp_ns = 77, .pid = 22, .tgid = 22});
  const auto got = take_all(client);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].event().timestamp_ns, 5000U);
  EXPECT_EQ(got[1].event().timestamp_ns, 4000U);
  EXPECT_EQ(got[2].event().timestamp_ns, 77U);
}

TEST_P(Proc, C21_counts_each_producers_events_without_gaps) {
  Subscriber& client = rig.listener();
  const std::uint32_t first = GetParam() == Mode::kernel ? 1U : 0U;  // the acknowledgement had number 0
  const auto happens = [&](std::size_t producer) {
    rig.proc->publish({.what = What::exec, .pid = 1, .tgid = 1}, producer);
  };
  happens(0);
  happens(3);
  happens(0);
  happens(3);
  const auto got = take_all(client);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].message().seq, first);
  EXPECT_EQ(got[1].message().seq, 0U);
  EXPECT_EQ(got[2].message().seq, first + 1);
  EXPECT_EQ(got[3].message().seq, 1U);
  EXPECT_EQ(got[1].event().cpu, got[0].event().cpu + 3);
}

TEST_P(Proc, relays_the_kernels_events_with_their_numbers) {
  Subscriber& client = rig.listener();
  rig.proc->relay({.what = What::exec, .cpu = 1, .timestamp_ns = 9, .pid = 4, .tgid = 4}, 812);
  const auto got = take_all(client);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].message().seq, 812U);
  EXPECT_EQ(got[0].event().cpu, 1U);
  EXPECT_EQ(got[0].event().timestamp_ns, 9U);
}

TEST_P(Proc, tells_every_listener_what_was_lost_before_it_came_here) {
  Subscriber& all = rig.listener();
  Subscriber& some = rig.listener(bit(What::exec));
  take_all(all);
  rig.exec(20);
  rig.proc->lose(12);
  rig.exec(21);
  EXPECT_EQ(names(take_all(all)), "EXEC LOST(12) EXEC");
  EXPECT_EQ(names(take_all(some)), "EXEC LOST(12) EXEC");
}

TEST_P(Proc, takes_an_id_of_the_bus_and_gives_it_back) {
  SetClock clock;
  const auto second = ProcConnector::attach(rig.bus, clock, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number(), EINVAL);
}

TEST(SafeProc, C22_refuses_who_is_in_another_namespace_and_the_kernel_says_nothing) {
  for (const Mode mode : {Mode::safe, Mode::kernel}) {
    ProcRig rig(mode);
    Subscriber& client = rig.join();
    rig.say(&client, words(kListen), false);
    const auto got = take_all(client);
    ASSERT_EQ(names(got), mode == Mode::safe ? "ACK" : "");
    if (mode == Mode::safe) {
      EXPECT_EQ(got[0].event().error, static_cast<std::uint32_t>(EPERM));
    }
    EXPECT_FALSE(rig.proc->anybody_listens());
  }
}

TEST(SafeProc, C8_answers_a_client_that_asked_for_a_part) {
  ProcRig rig(Mode::safe);
  Subscriber& client = rig.join();
  rig.say(client, words(kListen, bit(What::exit)));
  EXPECT_EQ(names(take_all(client)), "ACK");
  ProcRig kernel(Mode::kernel);
  Subscriber& deaf = kernel.join();
  kernel.say(deaf, words(kListen, bit(What::exit)));
  EXPECT_EQ(names(take_all(deaf)), "");
}

TEST(SafeProc, C6_the_kernel_answers_a_bad_operation_when_somebody_listens) {
  ProcRig kernel(Mode::kernel);
  Subscriber& client = kernel.join();
  kernel.say(client, words(99));
  EXPECT_EQ(names(take_all(client)), "");
  kernel.listener();
  Subscriber& other = kernel.join();
  kernel.say(other, words(99));
  EXPECT_EQ(names(take_all(other)), "ACK");
}

}  // namespace
