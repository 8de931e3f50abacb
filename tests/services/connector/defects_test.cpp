// SPDX-License-Identifier: BSD-2-Clause
// The twenty defects of the kernel series for thread exit codes (its posting of October 2024), each named after its
// number in our list of them: what it would have done to a user, and that it does not happen here.
#include <gtest/gtest.h>

#include "services/connector/compat.hpp"
#include "tests/services/connector/proc_rig.hpp"

namespace {

using namespace vif::cn;
using namespace vif::cn::test;

constexpr std::uint32_t kNotify = 3;
constexpr std::int32_t kProcess = 50, kThread = 51, kOther = 60;

class Defect : public testing::Test {
 protected:
  Defect() {
    rig.fork(kProcess, 1);
    thread(kThread, kProcess);
    rig.fork(kOther, 1);
    rig.say(client, write_request({.wishes = {.extended = true}}));
    (void)take_all(client);
  }

  void thread(std::int32_t tid, std::int32_t tgid) {
    rig.clock.at += vif::Time(10);
    rig.proc->publish({.what = What::fork, .pid = tid, .tgid = tgid, .parent_pid = 1, .parent_tgid = 1});
  }
  // A thread's own request, and the errno it is answered with.
  std::uint32_t notify(std::int32_t tid, std::int32_t tgid, const ByteVector& payload) {
    const Sender sender{.subscriber = &client, .tid = tid, .tgid = tgid, .uid = 1000};
    rig.bus.receive({.id = kProcId, .payload = payload}, sender);
    const auto got = take_all(client);
    EXPECT_EQ(names(got), "ACK");
    return got.empty() ? ~0U : got[0].event().error;
  }
  std::uint32_t notify(std::int32_t tid, std::int32_t tgid, std::uint32_t code) {
    return notify(tid, tgid, words(kNotify, 0, code));
  }
  // What listeners are told of the end of a thread that the kernel says ended so.
  Got end(std::int32_t tid, std::int32_t tgid, std::uint32_t kernel_code = 0) {
    rig.clock.at += vif::Time(10);
    rig.proc->publish({.what = What::exit, .pid = tid, .tgid = tgid, .exit_code = kernel_code, .exit_signal = -1});
    const auto got = take_all(client);
    EXPECT_EQ(names(got), "EXIT");
    return got.empty() ? Got{} : got.back();
  }

  std::unique_ptr<ExitCodes> codes = std::move(*ExitCodes::create(1 << 20));
  ProcRig rig{Mode::safe, {.follow_tasks = true, .codes = codes.get()}};
  Subscriber& client = rig.join();
};

TEST_F(Defect, D1_closing_with_a_code_in_it_waits_for_nobody) {
  codes->add(7, 1);
  codes->add(8, 1);
  EXPECT_EQ(codes->close(), 2U);
  EXPECT_TRUE(codes->empty());
  EXPECT_EQ(codes->add(9, 1), ESHUTDOWN);
  EXPECT_TRUE(codes->empty());
  EXPECT_EQ(codes->attach(9, 9, 9), ESHUTDOWN);
}

TEST_F(Defect, D2_code_zero_is_not_a_miss) {
  codes->add(7, 0);
  const FoundCode hit = codes->take(7), miss = codes->take(7);
  EXPECT_EQ(hit.error, 0);
  EXPECT_EQ(hit.code, 0U);
  EXPECT_EQ(miss.error, ENOENT);
}

TEST_F(Defect, D3_a_miss_is_no_code) {
  EXPECT_EQ(codes->get(7).error, ENOENT);
  EXPECT_EQ(cn_get_exval(codes.get(), 7), -EINVAL);
  codes->add(7, static_cast<std::uint32_t>(-EINVAL));
  EXPECT_EQ(cn_get_exval(codes.get(), 7), 4'294'967'274);
}

TEST_F(Defect, D4_codes_with_the_top_bit_set_arrive) {
  EXPECT_EQ(notify(kThread, kProcess, 0x8000'0001), 0U);
  EXPECT_EQ(end(kThread, kProcess).extension().user_code, std::optional<std::uint32_t>(0x8000'0001));
  codes->add(7, UINT32_MAX);
  EXPECT_EQ(cn_del_get_exval(codes.get(), 7), 0xffff'ffff);
}

TEST_F(Defect, D5_clients_with_shorter_requests_are_heard) {
  for (const ByteVector& listen : {words(1), words(1, bit(What::exec)), words(1, bit(What::exec), 0)}) {
    Subscriber& old = rig.join();
    rig.say(old, listen);
    EXPECT_EQ(names(take_all(old)), "ACK") << listen.size();
    rig.exec(kOther);
    EXPECT_EQ(names(take_all(old)), "EXEC") << listen.size();
  }
}

TEST_F(Defect, D6_a_notify_is_answered_to_its_sender_only) {
  Subscriber& other = rig.listener();
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  EXPECT_EQ(notify(kThread, kProcess, words(kNotify, kNotifyWithdraws, 0)), 0U);
  EXPECT_EQ(notify(kThread, kProcess, words(kNotify, kNotifyWithdraws, 0)), static_cast<std::uint32_t>(ENOENT));
  EXPECT_EQ(notify(kThread, kProcess, words(kNotify)), static_cast<std::uint32_t>(EINVAL)) << "says no code";
  EXPECT_TRUE(take_all(other).empty());
}

TEST_F(Defect, D7_a_notify_that_fails_leaves_nothing_behind) {
  codes->close();
  EXPECT_EQ(notify(kThread, kProcess, 42), static_cast<std::uint32_t>(ESHUTDOWN));
  const Got got = end(kThread, kProcess, 0x300);
  EXPECT_EQ(got.event().exit_code, 0x300U);
  EXPECT_EQ(got.extension().user_code, std::nullopt);
}

TEST_F(Defect, D8_children_do_not_inherit_it) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  thread(70, kProcess);
  rig.fork(71, kProcess);
  take_all(client);
  EXPECT_EQ(end(70, kProcess).event().exit_code, 0U);
  EXPECT_EQ(end(71, 71).event().exit_code, 0U);
  EXPECT_EQ(end(kThread, kProcess).extension().user_code, std::optional<std::uint32_t>(42));
}

// As Linux tells it: the old leader's exit, the exec under its number, and nothing of the thread that called exec.
TEST_F(Defect, D9_an_exec_by_another_thread_ends_what_it_registered) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  end(kProcess, kProcess);
  rig.exec(kProcess);
  take_all(client);
  EXPECT_TRUE(codes->empty());
  EXPECT_EQ(end(kProcess, kProcess).event().exit_code, 0U);
}

TEST_F(Defect, D10_a_number_used_again_keeps_both_codes_apart) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  // The number is free before the exit is told: a new thread has it, and notifies meanwhile.
  rig.clock.at += vif::Time(10);
  codes->attach(kThread, kOther, static_cast<std::uint64_t>(rig.clock.at.count()));
  EXPECT_EQ(codes->put(kThread, 43), 0);
  EXPECT_EQ(end(kThread, kProcess).extension().user_code, std::optional<std::uint32_t>(42));
  EXPECT_EQ(end(kThread, kOther).extension().user_code, std::optional<std::uint32_t>(43));
}

TEST_F(Defect, D11_a_users_code_does_not_read_as_a_signal) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  const Got got = end(kThread, kProcess);
  EXPECT_EQ(got.event().exit_code, 42U << 8);
  EXPECT_EQ(got.extension().user_code, std::optional<std::uint32_t>(42));
  EXPECT_EQ(ProcConnector::wait_status(256), 255U << 8) << "not success, though its low byte is 0";
  EXPECT_EQ(ProcConnector::wait_status(0), 0U);
}

TEST_F(Defect, D12_what_really_ended_it_comes_first_and_both_are_carried) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  const Got got = end(kThread, kProcess, 0xb);
  EXPECT_EQ(got.event().exit_code, 0xbU);
  EXPECT_EQ(got.extension().user_code, std::optional<std::uint32_t>(42));
}

TEST_F(Defect, D13_the_last_notify_wins_and_one_can_be_taken_back) {
  EXPECT_EQ(notify(kThread, kProcess, 42), 0U);
  EXPECT_EQ(notify(kThread, kProcess, 43), 0U);
  EXPECT_EQ(codes->get(kThread).code, 43U);
  EXPECT_EQ(notify(kThread, kProcess, words(kNotify, kNotifyWithdraws, 0)), 0U);
  EXPECT_EQ(end(kThread, kProcess).extension().user_code, std::nullopt);
}

TEST_F(Defect, D14_who_may_not_is_told_so) {
  const ByteVector payload = words(kNotify, 0, 42);
  rig.bus.receive({.id = kProcId, .payload = payload},
                  {.subscriber = &client, .tid = 1, .tgid = 1, .initial_namespaces = false});
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].event().error, static_cast<std::uint32_t>(EPERM));
  EXPECT_TRUE(codes->empty());
}

TEST_F(Defect, D15_nobody_registers_for_others_or_without_bound) {
  const auto for_thread = [&](std::int32_t tid) { return words(kNotify, 0, 42, tid); };
  EXPECT_EQ(notify(kProcess, kProcess, for_thread(kThread)), 0U) << "a thread of its own";
  EXPECT_EQ(notify(kProcess, kProcess, for_thread(kOther)), static_cast<std::uint32_t>(EPERM));
  EXPECT_EQ(notify(kProcess, kProcess, for_thread(99)), static_cast<std::uint32_t>(ESRCH)) << "nobody";
  EXPECT_EQ(codes->size(), 1U);
  EXPECT_EQ(codes->add(1 << 20, 1), ENOSPC);
}

TEST_F(Defect, D16_a_million_are_found_as_a_few_are) {
  const std::int32_t million = 1'000'000;
  for (std::int32_t tid = 0; tid < million; ++tid) ASSERT_EQ(codes->add(tid, static_cast<std::uint32_t>(tid) * 7), 0);
  EXPECT_EQ(codes->size(), 1'000'000U);
  for (std::int32_t tid = million - 1; tid >= 0; --tid) {
    ASSERT_EQ(codes->take(tid).code, static_cast<std::uint32_t>(tid) * 7);
  }
  EXPECT_TRUE(codes->empty());
}

TEST_F(Defect, D17_what_is_counted_is_what_is_there) {
  codes->add(7, 1);
  codes->add(7, 2);
  codes->withdraw(8);
  EXPECT_EQ(codes->size(), 1U);
  codes->withdraw(7);
  codes->withdraw(7);
  EXPECT_EQ(codes->size(), 0U);
}

TEST_F(Defect, D18_without_a_table_nothing_succeeds) {
  EXPECT_EQ(cn_add_elem(nullptr, 1, 7), -ENODEV);
  EXPECT_EQ(cn_del_elem(nullptr, 7), -ENODEV);
  EXPECT_EQ(cn_get_exval(nullptr, 7), -ENODEV);
  EXPECT_EQ(cn_del_get_exval(nullptr, 7), -ENODEV);
  ProcRig without(Mode::safe);
  Subscriber& asks = without.join();
  without.say(asks, words(kNotify, 0, 42));
  const auto got = take_all(asks);
  ASSERT_EQ(names(got), "ACK");
  EXPECT_EQ(got[0].event().error, static_cast<std::uint32_t>(ENODEV));
}

// The series declares a find function that nobody wrote. Each name of ours is called somewhere in this file but these.
TEST_F(Defect, D19_what_is_declared_is_there) {
  EXPECT_TRUE(cn_table_empty(codes.get()));
  codes->add(7, 1);
  EXPECT_FALSE(cn_table_empty(codes.get()));
  EXPECT_EQ(cn_hash_free_dev(*codes), 1U);
}

TEST_F(Defect, D20_a_code_outlives_a_thread_that_ended_unheard) {
  rig.say(client, words(2));  // nobody listens
  codes->attach(80, kProcess, 500);
  codes->put(80, 42);
  codes->detach(80);  // and it is gone
  EXPECT_EQ(codes->get(80).code, 42U);
  codes->attach(80, kOther, 900);  // its number is used again
  EXPECT_EQ(codes->get(80).error, ENOENT);
  const auto kept = codes->unclaimed();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].code, 42U);
  EXPECT_EQ(kept[0].owner, kProcess);
  EXPECT_EQ(kept[0].born_ns, 500U);
}

}  // namespace
