// SPDX-License-Identifier: BSD-2-Clause
// What a safe process connector has beside the kernel's: filters by process and tree, extensions, resync, and the table
// of who lives that they stand on.
#include <gtest/gtest.h>

#include "tests/services/connector/proc_rig.hpp"
#include "tests/virtif/told.hpp"

namespace {

using namespace vif;
using namespace vif::cn;
using namespace vif::cn::test;

constexpr std::uint32_t kListen = 1, kResync = 4;

TEST(SafeProc, tells_nothing_to_who_only_sends) {
  ProcRig rig(Mode::safe);
  rig.say(nullptr, words(kListen));
  EXPECT_FALSE(rig.proc->anybody_listens());
}

// Whoever records reads it without being a listener, as long as the events come.
TEST(SafeProc, traces_how_threads_end_and_what_was_lost) {
  const auto codes = *ExitCodes::create(64);
  ProcTrace trace;
  const rig::Told told(trace);
  ProcRig rig(Mode::safe, {.follow_tasks = true, .codes = codes.get(), .trace = &trace});
  rig.fork(20);
  ASSERT_EQ(codes->attach(20, 20, 0), 0);
  ASSERT_EQ(codes->put(20, 0), 0);
  rig.exit(20, 9);
  rig.fork(21);
  rig.exit(21, 0x300);
  rig.proc->lose(12);
  EXPECT_EQ(told.events,
            (std::vector<std::string>{"exit pid=20 tgid=20 code=9 signal=17 has_said=1 said=0",
                                      "exit pid=21 tgid=21 code=768 signal=17 has_said=0 said=0", "lost events=12"}));
}

TEST(SafeProc, filters_by_process) {
  ProcRig rig(Mode::safe);
  Subscriber& client = rig.join();
  rig.say(client, write_request({.wishes = {.tgid = 21}}));
  take_all(client);
  rig.live(20, 0);
  rig.live(21, 0);
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "FORK EXEC EXIT");
  EXPECT_EQ(got[0].event().tgid, 21);
}

TEST(SafeProc, filters_by_tree_through_forks_it_did_not_ask_for) {
  ProcRig rig(Mode::safe, {.follow_tasks = true});
  rig.fork(20, 1);
  rig.fork(21, 20);  // before the listener came
  Subscriber& client = rig.join();
  rig.say(client, write_request({.mask = bit(What::exec), .wishes = {.tree = 20}}));
  take_all(client);
  rig.fork(22, 21);
  rig.fork(30, 1);
  rig.exit(21, 0);  // the one between them is gone
  for (const std::int32_t pid : {20, 22, 30}) rig.exec(pid);
  rig.fork(23, 22);
  rig.exec(23);
  auto got = take_all(client);
  ASSERT_EQ(names(got), "EXEC EXEC EXEC");
  EXPECT_EQ(got[0].event().pid, 20);
  EXPECT_EQ(got[1].event().pid, 22);
  EXPECT_EQ(got[2].event().pid, 23);
  rig.exit(22, 0);
  rig.fork(22, 1);  // a stranger with a number of the tree
  rig.exec(22);
  EXPECT_EQ(names(take_all(client)), "");
}

TEST(SafeProc, adds_an_extension_for_who_asks_and_old_readers_skip_it) {
  ProcRig rig(Mode::safe, {.follow_tasks = true});
  Subscriber& plain = rig.listener();
  Subscriber& client = rig.join();
  rig.say(client, write_request({.wishes = {.extended = true}}));
  take_all(client);
  rig.fork(20);
  rig.proc->publish({.what = What::comm, .pid = 20, .tgid = 20, .comm = {{'s', 'h'}}});
  rig.exit(20, 0x100);
  const auto got = take_all(client), old = take_all(plain);
  ASSERT_EQ(names(got), "FORK COMM EXIT");
  EXPECT_EQ(got[2].event(), old[2].event());
  EXPECT_EQ(old[2].message().payload.size(), kProcEventBytes);
  EXPECT_EQ(got[2].extension().sequence, got[2].sequence);
  ASSERT_TRUE(got[2].extension().comm);
  EXPECT_EQ(got[2].extension().comm->at(0), 's');
}

TEST(SafeProc, begins_with_all_that_live_and_goes_on_without_gap_or_duplicate) {
  ProcRig rig(Mode::safe, {.follow_tasks = true});
  rig.fork(20, 1);
  rig.fork(21, 20);
  Subscriber& client = rig.listener();
  rig.exit(20, 0);  // read by nobody yet
  rig.proc->lose(3);
  const Result<ProcConnector::Snapshot> snapshot = rig.proc->resync(client);
  ASSERT_TRUE(snapshot);
  rig.fork(22, 21);
  client.ring().begin_at(snapshot->mark);
  ASSERT_EQ(snapshot->tasks.size(), 1U);
  EXPECT_EQ(snapshot->tasks[0].pid, 21);
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "FORK");
  EXPECT_EQ(got[0].event().pid, 22);
}

TEST(SafeProc, says_all_that_live_over_the_wire) {
  ProcRig rig(Mode::safe, {.follow_tasks = true});
  for (const std::int32_t pid : {22, 20, 21}) rig.fork(pid);
  Subscriber& client = rig.join();
  rig.say(client, words(kResync));
  const auto got = take_all(client);
  ASSERT_EQ(names(got), "ACK TASK TASK TASK RESYNCED");
  EXPECT_EQ(got[1].event().pid, 20);
  EXPECT_EQ(got[4].event().count, 3U);
  ProcRig without(Mode::safe);
  Subscriber& refused = without.join();
  without.say(refused, words(kResync));
  const auto no = take_all(refused);
  ASSERT_EQ(names(no), "ACK");
  EXPECT_EQ(no[0].event().error, static_cast<std::uint32_t>(ENOTSUP));
  EXPECT_FALSE(without.proc->resync(refused));
}

TEST(Tasks, end_with_an_exec_by_another_thread_of_theirs) {
  TaskTable tasks;
  tasks.apply({.what = What::fork, .pid = 20, .tgid = 20, .parent_pid = 1, .parent_tgid = 1});
  tasks.apply({.what = What::fork, .pid = 21, .tgid = 20, .parent_pid = 1, .parent_tgid = 1});
  tasks.apply({.what = What::fork, .pid = 22, .tgid = 20, .parent_pid = 1, .parent_tgid = 1});
  // As the kernel tells it: the old leader's exit, then the exec under its number; 21's and 22's ends are never told.
  tasks.apply({.what = What::exit, .pid = 20, .tgid = 20});
  tasks.apply({.what = What::exec, .pid = 20, .tgid = 20});
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_NE(tasks.find(20), nullptr);
}

TEST(Tasks, of_other_processes_outlive_an_exec) {
  TaskTable tasks;
  for (const std::int32_t pid : {20, 21, 22, 30, 31}) {
    tasks.apply({.what = What::fork, .pid = pid, .tgid = pid / 10 * 10, .parent_pid = 1, .parent_tgid = 1});
  }
  tasks.apply({.what = What::fork, .pid = 22, .tgid = 30});  // 22's end was lost, and its number used again
  tasks.apply({.what = What::exit, .pid = 31, .tgid = 30});
  tasks.apply({.what = What::exec, .pid = 20, .tgid = 20});
  std::vector<std::int32_t> of_30;
  tasks.for_each_of(30, [&](const Task& task) { of_30.push_back(task.pid); });
  EXPECT_EQ(of_30, (std::vector<std::int32_t>{30, 22}));
  EXPECT_EQ(tasks.size(), 3U);
  tasks.apply({.what = What::exec, .pid = 30, .tgid = 30});
  tasks.reconcile({{.pid = 20, .tgid = 20, .comm = {}}});
  EXPECT_EQ(tasks.size(), 1U);
}

TEST(Tasks, are_put_right_by_who_has_looked) {
  TaskTable tasks;
  tasks.apply({.what = What::fork, .timestamp_ns = 9, .pid = 20, .tgid = 20});
  tasks.apply({.what = What::fork, .timestamp_ns = 9, .pid = 21, .tgid = 21});
  tasks.reconcile({{.pid = 21, .tgid = 21, .comm = {{'x'}}}, {.pid = 30, .tgid = 30, .comm = {}}});
  const auto sorted = tasks.sorted();
  ASSERT_EQ(sorted.size(), 2U);
  EXPECT_EQ(sorted[0].pid, 21);
  EXPECT_EQ(sorted[0].born_ns, 9U) << "what the events told is kept";
  EXPECT_EQ(sorted[0].comm[0], 'x');
  EXPECT_EQ(sorted[1].pid, 30);
}

TEST(Requests, read_back) {
  for (const Request& request : {Request{.wishes = {}}, Request{.mask = bit(What::exit), .wishes = {}},
                                 Request{.op = Op::notify, .notify_flags = 1, .code = 42, .tid = 7, .wishes = {}},
                                 Request{.wishes = {.tree = 7}}}) {
    const ByteVector bytes = write_request(request);
    const std::optional<Request> read = read_request(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->op, request.op);
    EXPECT_EQ(read->code, request.code);
    EXPECT_EQ(read->tid, request.tid);
    EXPECT_EQ(read->wishes, request.wishes);
    if (request.op == Op::listen) {
      EXPECT_EQ(read->mask, request.mask);
    }
  }
}

}  // namespace
