// SPDX-License-Identifier: BSD-2-Clause
// The connector itself: who is called, who is sent what, and the kernel's errors.
#include "services/connector/bus.hpp"

#include <gtest/gtest.h>

#include "tests/services/connector/bytes.hpp"

namespace {

using namespace vif;
using namespace vif::cn;
using test::take_all;

const CbId kOurs{5, 9};

class Wire : public testing::Test {
 protected:
  Message hello(std::uint32_t seq = 1) const { return {.id = kOurs, .seq = seq, .payload = as_bytes(text)}; }

  const std::string text = "hello";
  Bus bus;
};
using Callbacks = Wire;
using Groups = Wire;

TEST_F(Callbacks, are_called_with_the_message_of_their_id_at_once) {
  std::string heard;
  const auto listener = [&](const char* who) {
    return [&heard, who](const Message& message, const Sender& sender) {
      heard += std::string(who) + std::to_string(message.seq) + ":" + std::to_string(sender.tid) + " ";
    };
  };
  ASSERT_TRUE(bus.add_callback(kOurs, "ours", listener("a")));
  ASSERT_TRUE(bus.add_callback({5, 10}, "other", listener("b")));
  bus.receive(test::datagram_bytes(hello(3)), {.tid = 77});
  bus.receive({.id = {5, 10}, .seq = 4, .payload = {}}, {.tid = 78});
  bus.receive({.id = {6, 9}, .seq = 5, .payload = {}}, {});
  EXPECT_EQ(heard, "a3:77 b4:78 ");
}

TEST_F(Callbacks, of_an_id_that_is_taken_are_refused_with_EINVAL) {
  ASSERT_TRUE(bus.add_callback(kOurs, "first", [](const Message&, const Sender&) {}));
  const Status second = bus.add_callback(kOurs, "second", [](const Message&, const Sender&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number(), EINVAL);
  bus.del_callback(kOurs);
  bus.del_callback(kOurs);
  EXPECT_TRUE(bus.add_callback(kOurs, "second", [](const Message&, const Sender&) {}));
}

TEST_F(Callbacks, may_delete_themselves_while_they_run) {
  int calls = 0;
  const std::string kept = "still here after the callback has deleted itself";
  ASSERT_TRUE(bus.add_callback(kOurs, "once", [&, kept](const Message&, const Sender&) {
    bus.del_callback(kOurs);
    ASSERT_TRUE(bus.add_callback(kOurs, "next", [](const Message&, const Sender&) {}));
    calls += kept.size() > 10 ? 1 : 0;
  }));
  bus.receive(hello(), {});
  bus.receive(hello(), {});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(bus.callbacks_text(), "Name            ID\nnext            5:9\n");
}

TEST_F(Callbacks, are_listed_as_in_proc_net_connector) {
  ASSERT_TRUE(bus.add_callback(kProcId, "cn_proc", [](const Message&, const Sender&) {}));
  ASSERT_TRUE(
      bus.add_callback(kOurs, "a name that is longer than thirty-one bytes", [](const Message&, const Sender&) {}));
  EXPECT_EQ(bus.callbacks_text(), "Name            ID\ncn_proc         1:1\na name that is longer than thir 5:9\n");
}

TEST_F(Groups, get_what_is_sent_to_the_group_of_the_callback) {
  ASSERT_TRUE(bus.add_callback(kOurs, "ours", [](const Message&, const Sender&) {}));
  Subscriber member(bus), stranger(bus);
  ASSERT_TRUE(member.join(kOurs.idx));
  ASSERT_TRUE(stranger.join(6));
  EXPECT_TRUE(bus.send(hello(), {}));
  const auto got = take_all(member);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].bytes, test::message_bytes(hello()));
  EXPECT_TRUE(take_all(stranger).empty());
}

TEST_F(Groups, answer_with_the_kernels_errors) {
  const auto number = [](const Status& status) { return status ? 0 : status.error().number(); };
  EXPECT_EQ(number(bus.send(hello(), {})), ENODEV) << "nobody registered the id";
  EXPECT_EQ(number(bus.send(hello(), {.group = 5})), ESRCH) << "an empty group";
  EXPECT_EQ(number(bus.send(hello(), {.port = 99})), ESRCH) << "nobody at the port";
  EXPECT_EQ(number(bus.send_mult({}, {.group = 5})), EMSGSIZE);
  const std::vector<std::byte> large(kMessageBytesMax);
  EXPECT_EQ(number(bus.send({.id = kOurs, .payload = large}, {.group = 5})), EMSGSIZE);
  const std::vector<std::byte> largest(kMessageBytesMax - kMessageHeaderBytes);
  Subscriber member(bus);
  ASSERT_TRUE(member.join(5));
  EXPECT_EQ(number(bus.send({.id = kOurs, .payload = largest}, {.group = 5})), 0);
  EXPECT_EQ(number(member.join(0)), EINVAL);
  EXPECT_EQ(number(member.join(27)), EINVAL);
}

TEST_F(Groups, leave_out_the_port_that_is_named_and_whom_the_filter_refuses) {
  Subscriber a(bus), b(bus), c(bus);
  for (Subscriber* each : {&a, &b, &c}) ASSERT_TRUE(each->join(5));
  EXPECT_TRUE(bus.send_mult(test::message_bytes(hello()), {.port = a.port(), .group = 5},
                            [&](const Subscriber& who) { return &who != &b; }));
  EXPECT_EQ(take_all(a).size(), 0U);
  EXPECT_EQ(take_all(b).size(), 0U);
  EXPECT_EQ(take_all(c).size(), 1U);
}

TEST_F(Groups, are_not_sent_what_goes_to_one_port) {
  Subscriber a(bus), b(bus);
  for (Subscriber* each : {&a, &b}) ASSERT_TRUE(each->join(5));
  EXPECT_TRUE(bus.send(hello(), {.port = b.port()}));
  EXPECT_EQ(take_all(a).size(), 0U);
  EXPECT_EQ(take_all(b).size(), 1U);
}

TEST_F(Groups, forget_who_has_gone) {
  Subscriber stays(bus);
  ASSERT_TRUE(stays.join(5));
  {
    Subscriber goes(bus);
    ASSERT_TRUE(goes.join(5));
    EXPECT_EQ(bus.members(5).size(), 2U);
  }
  EXPECT_EQ(bus.members(5).size(), 1U);
  EXPECT_TRUE(bus.send(hello(), {.group = 5}));
}

TEST_F(Groups, make_nothing_that_nobody_wants) {
  Subscriber a(bus), b(bus);
  for (Subscriber* each : {&a, &b}) ASSERT_TRUE(each->join(5));
  int made = 0;
  const auto make = [&](const Subscriber&, std::uint64_t) { return ++made, as_bytes(text); };
  EXPECT_EQ(bus.broadcast(
                5, 0, [](const Subscriber&) { return false; }, make),
            0U);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(bus.sequence(), 0U) << "what nobody saw has no number";
  EXPECT_EQ(bus.broadcast(
                5, 0, [&](const Subscriber& who) { return &who == &a; }, make),
            1U);
  EXPECT_EQ(made, 1);
}

TEST_F(Groups, hold_a_slow_member_to_its_own_loss) {
  Subscriber slow(bus, {.ring_bytes = 4096}), quick(bus, {.ring_bytes = 65'536});
  for (Subscriber* each : {&slow, &quick}) ASSERT_TRUE(each->join(5));
  std::size_t sent = 0;
  for (; sent < 200; ++sent) EXPECT_TRUE(bus.send(hello(), {.group = 5}));
  EXPECT_EQ(take_all(quick).size(), sent);
  const auto got = take_all(slow);
  EXPECT_EQ(got.size() - 1 + got.back().lost, sent);
}

class Bell final : public ReaderPort {
 public:
  void readable() override { ++rung; }
  int rung = 0;
};

TEST_F(Groups, wake_a_reader_once_until_it_has_read) {
  Bell bell;
  Subscriber member(bus, {.reader = &bell});
  ASSERT_TRUE(member.join(5));
  EXPECT_TRUE(bus.send(hello(), {.group = 5}));
  EXPECT_TRUE(bus.send(hello(), {.group = 5}));
  EXPECT_EQ(bell.rung, 1);
  EXPECT_EQ(take_all(member).size(), 2U);
  EXPECT_TRUE(member.ring().may_sleep());
  EXPECT_TRUE(bus.send(hello(), {.group = 5}));
  EXPECT_EQ(bell.rung, 2);
}

}  // namespace
