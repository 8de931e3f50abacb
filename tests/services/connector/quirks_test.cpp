// SPDX-License-Identifier: BSD-2-Clause
// The nine quirks that Linux 6.18 was seen to have: in kernel mode they are there, in safe mode they are not. Named
// after their numbers (services/connector/kernel_rules.hpp).
#include <gtest/gtest.h>

#include <optional>

#include "tests/services/connector/proc_rig.hpp"

namespace {

using namespace vif::cn;
using namespace vif::cn::test;

constexpr int kListen = 1, kIgnore = 2, kBad = 99;

class Quirk : public testing::Test {
 protected:
  ProcRig kernel{Mode::kernel}, safe{Mode::safe};
};

TEST_F(Quirk, Q1_kernel_counts_a_listener_that_closed_for_ever) {
  kernel.listener();
  kernel.clients.clear();
  EXPECT_TRUE(kernel.count_is_positive());
}
TEST_F(Quirk, Q1_safe_forgets_a_listener_that_closed) {
  safe.listener();
  EXPECT_NE(safe.proc->interest(), 0U);
  safe.clients.clear();
  EXPECT_EQ(safe.proc->interest(), 0U);
}

TEST_F(Quirk, Q2_kernel_is_silenced_by_a_bad_operation_and_an_ignore) {
  Subscriber& bad = kernel.join();
  kernel.say(bad, words(kBad));
  kernel.say(bad, words(kIgnore));
  Subscriber& other = kernel.join();
  kernel.say(other, words(kListen));
  kernel.live(20, 0);
  EXPECT_EQ(names(take_all(other)), "") << "no acknowledgement, no event";
}
TEST_F(Quirk, Q2_safe_is_not_silenced) {
  Subscriber& bad = safe.join();
  safe.say(bad, words(kBad));
  safe.say(bad, words(kIgnore));
  Subscriber& other = safe.join();
  safe.say(other, words(kListen));
  safe.live(20, 0);
  EXPECT_EQ(names(take_all(other)), "ACK FORK EXEC EXIT");
}

TEST_F(Quirk, Q3_kernel_counts_listen_bad_listen_twice) {
  Subscriber& client = kernel.join();
  for (const int op : {kListen, kBad, kListen, kIgnore}) kernel.say(client, words(op));
  EXPECT_TRUE(kernel.count_is_positive());
}
TEST_F(Quirk, Q3_safe_counts_a_listener_once) {
  Subscriber& client = safe.join();
  for (const int op : {kListen, kBad, kListen, kIgnore}) safe.say(client, words(op));
  EXPECT_EQ(safe.proc->interest(), 0U);
}

TEST_F(Quirk, Q4_kernel_widens_the_mask_at_a_bad_operation) {
  Subscriber& client = kernel.listener(bit(What::exit));
  kernel.say(client, words(kBad));
  take_all(client);
  kernel.live(20, 0);
  EXPECT_EQ(names(take_all(client)), "FORK EXEC EXIT");
}
TEST_F(Quirk, Q4_safe_keeps_the_mask_at_a_bad_operation) {
  Subscriber& client = safe.listener(bit(What::exit));
  safe.say(client, words(kBad));
  take_all(client);
  safe.live(20, 0);
  EXPECT_EQ(names(take_all(client)), "EXIT");
}

TEST_F(Quirk, Q5_kernel_counts_who_listens_outside_the_group) {
  Subscriber outside(kernel.bus);
  kernel.say(outside, words(kListen));
  EXPECT_TRUE(kernel.count_is_positive());
  EXPECT_TRUE(take_all(outside).empty());
}
TEST_F(Quirk, Q5_safe_refuses_who_listens_outside_the_group) {
  Subscriber outside(safe.bus);
  safe.say(outside, words(kListen));
  const auto got = take_all(outside);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].event().error, static_cast<std::uint32_t>(ENOTCONN));
  EXPECT_EQ(safe.proc->interest(), 0U);
}

TEST_F(Quirk, Q6_kernel_tells_a_member_that_never_asked) {
  Subscriber& passive = kernel.join();
  kernel.live(20, 0);
  EXPECT_EQ(names(take_all(passive)), "") << "nobody listens";
  kernel.listener(bit(What::uid));
  kernel.live(20, 0);
  EXPECT_EQ(names(take_all(passive)), "ACK FORK EXEC EXIT");
}
TEST_F(Quirk, Q6_safe_tells_only_who_asked) {
  Subscriber& passive = safe.join();
  safe.listener();
  safe.live(20, 0);
  EXPECT_EQ(names(take_all(passive)), "");
}

TEST_F(Quirk, Q7_kernel_answers_everybody_that_hears_all) {
  Subscriber& other = kernel.listener();
  Subscriber& asks = kernel.join();
  kernel.say(asks, words(kBad));
  const auto got = take_all(other);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].event().error, static_cast<std::uint32_t>(EINVAL));
}
TEST_F(Quirk, Q7_safe_answers_who_asked) {
  Subscriber& other = safe.listener();
  Subscriber& asks = safe.join();
  safe.say(asks, words(kBad));
  EXPECT_EQ(names(take_all(other)), "");
  EXPECT_EQ(names(take_all(asks)), "ACK");
}

TEST_F(Quirk, Q8_kernel_answers_with_a_seq_and_cpu_of_its_own) {
  Subscriber& client = kernel.join();
  kernel.say(client, words(kListen));
  kernel.say(client, words(kListen));
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK ACK");
  EXPECT_EQ(got[1].message().seq, 1U) << "the processor's second message";
  EXPECT_EQ(got[1].message().ack, 0x5501U);
  EXPECT_NE(got[1].event().cpu, UINT32_MAX);
}
TEST_F(Quirk, Q8_safe_answers_with_the_seq_of_the_request) {
  Subscriber& client = safe.join();
  safe.say(client, words(kListen));
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].message().seq, 0x1234U);
  EXPECT_EQ(got[0].message().ack, 0x5501U);
  EXPECT_EQ(got[0].event().cpu, UINT32_MAX);
}

TEST_F(Quirk, Q9_kernel_does_not_answer_an_ignore) {
  Subscriber& stays = kernel.listener();
  Subscriber& client = kernel.listener();
  take_all(stays);
  kernel.say(client, words(kIgnore));
  EXPECT_EQ(names(take_all(client)), "");
  EXPECT_EQ(names(take_all(stays)), "ACK") << "but others are told";
  kernel.say(stays, words(kIgnore));
  EXPECT_EQ(names(take_all(stays)), "");
}
TEST_F(Quirk, Q9_safe_answers_an_ignore) {
  Subscriber& client = safe.listener();
  safe.say(client, words(kIgnore));
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].event().error, 0U);
}

// 1.5 of the reference: the join check looks at bit 0 of the group's number.
TEST(Joining, is_for_the_unprivileged_at_odd_groups_in_kernel_mode_and_at_group_1_in_safe_mode) {
  for (const Mode mode : {Mode::kernel, Mode::safe}) {
    Bus bus(mode);
    Subscriber nobody(bus, {.privileged = false});
    for (std::uint32_t group = 1; group <= 11; ++group) {
      const bool may = mode == Mode::kernel ? group % 2 == 1 : group == 1;
      EXPECT_EQ(nobody.join(group).has_value(), may) << group;
    }
  }
}

}  // namespace
