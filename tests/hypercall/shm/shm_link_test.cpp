// SPDX-License-Identifier: BSD-2-Clause
// A segment with several attachers, by one thread. What every backend must do: tests/conformance. Processes and death:
// shm_death_test.cpp.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hypercall/shm/segment_layout.hpp"
#include "tests/hypercall/shm/shm_port.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;
namespace shm = vif::host::shm;

TEST(Shm, reaches_every_other_attacher_and_never_its_own) {
  const ShmSegment segment("all");
  std::vector<std::unique_ptr<ShmPort>> ports;
  for (int i = 0; i < 5; ++i) ports.push_back(std::make_unique<ShmPort>(segment));
  for (unsigned i = 0; i < 5; ++i) ports[i]->send(Frame(60, static_cast<std::byte>(i)));
  for (unsigned i = 0; i < 5; ++i) {
    ports[i]->drain_all();
    ASSERT_EQ(ports[i]->sink.frames.size(), 4U);
    for (const WireFrame& frame : ports[i]->sink.frames) EXPECT_NE(frame.bytes[0], static_cast<std::byte>(i));
  }
}

TEST(Shm, is_known_by_its_name) {
  const ShmSegment one("one"), two("two");
  ShmPort a(one), b(one), c(two);
  a.send(counting(60));
  b.drain_all();
  c.drain_all();
  EXPECT_EQ(b.sink.frames.size(), 1U);
  EXPECT_TRUE(c.sink.frames.empty());
}

TEST(Shm, is_gone_when_the_last_attacher_is) {
  const ShmSegment segment("gone");
  int id = -1;
  {
    ShmPort a(segment);
    {
      ShmPort b(segment);
      a.send(counting(60));
    }
    ASSERT_TRUE(segment.exists());
    id = segment.memory_id();
    ASSERT_GE(id, 0);
  }
  EXPECT_FALSE(segment.exists());
  struct shmid_ds status {};
  EXPECT_EQ(::shmctl(id, IPC_STAT, &status), -1);
}

TEST(Shm, can_be_of_its_user_or_of_its_group_whatever_the_umask) {
  const ShmSegment segment("mode");
  const mode_t umask_before = ::umask(0777);
  {
    ShmPort a(segment);
    EXPECT_EQ(std::filesystem::status(segment.folder()).permissions(), std::filesystem::perms::owner_all);
  }
  ShmPort b(segment, ",mode=0660");
  ::umask(umask_before);
  struct stat folder {
  }, file{}, socket{};
  ::stat(segment.folder().c_str(), &folder);
  ::stat((segment.folder() / "segment").c_str(), &file);
  ::stat((segment.folder() / "0").c_str(), &socket);
  EXPECT_EQ(folder.st_mode & 0777, 0770U);
  EXPECT_EQ(file.st_mode & 0777, 0660U);
  EXPECT_EQ(socket.st_mode & 0777, 0660U);
  struct shmid_ds status {};
  ASSERT_EQ(::shmctl(segment.memory_id(), IPC_STAT, &status), 0);
  EXPECT_EQ(status.shm_perm.mode & 0777, 0660U);
}

TEST(Shm, has_a_place_for_64_and_says_so_to_the_next) {
  const ShmSegment segment("full");
  std::vector<std::unique_ptr<ShmPort>> ports;
  for (std::size_t i = 0; i < shm::kPlaces; ++i) ports.push_back(std::make_unique<ShmPort>(segment));
  const auto refused = ports[0]->open(segment.linkstr());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), EUSERS);
  EXPECT_NE(refused.error().text.find("64"), std::string::npos) << refused.error().text;
  ports[17].reset();
  ports[17] = std::make_unique<ShmPort>(segment);
  ports[63]->send(counting(60));
  ports[17]->drain_all();
  EXPECT_EQ(ports[17]->sink.frames.size(), 1U);
}

TEST(Shm, gives_nothing_to_a_port_that_is_not_started) {
  const ShmSegment segment("stopped");
  ShmPort a(segment), b(segment, "", false);
  a.send(counting(60));
  b.start();
  b.drain_all();
  EXPECT_TRUE(b.sink.frames.empty());
  a.send(counting(61));
  b.drain_all();
  EXPECT_EQ(b.sink.frames.size(), 1U);
}

TEST(Shm, counts_what_had_come_when_it_stops) {
  const ShmSegment segment("stops");
  ShmPort a(segment), b(segment);
  for (int i = 0; i < 7; ++i) a.send(counting(60));
  b.drain(3);
  b.stop();
  EXPECT_EQ(b.sink.frames.size(), 3U);
  EXPECT_EQ(b.sink.lost(DropReason::not_running), 4U);
}

TEST(Shm, lets_a_slow_attacher_overrun_alone) {
  const ShmSegment segment("slow");
  ShmPort a(segment), slow(segment), quick(segment);
  for (unsigned i = 0; i < 6000; ++i) {
    a.send(counting(60));
    if (i % 64 == 63) quick.drain_all();
  }
  quick.drain_all();
  slow.drain_all();
  EXPECT_EQ(quick.sink.frames.size(), 6000U);
  EXPECT_EQ(slow.sink.frames.size() + slow.sink.lost(DropReason::rx_overrun), 6000U);
  EXPECT_GT(slow.sink.lost(DropReason::rx_overrun), 0U);
}

TEST(Shm, gives_every_sender_its_turn_within_a_budget) {
  const ShmSegment segment("turns");
  ShmPort loud(segment), quiet(segment), receiver(segment);
  for (int i = 0; i < 1000; ++i) loud.send(Frame(60, std::byte{1}));
  quiet.send(Frame(60, std::byte{2}));
  receiver.drain(64);
  EXPECT_EQ(receiver.sink.frames.size(), 64U);
  EXPECT_TRUE(std::any_of(receiver.sink.frames.begin(), receiver.sink.frames.end(),
                          [](const WireFrame& frame) { return frame.bytes[0] == std::byte{2}; }));
}

TEST(Shm, wakes_who_sleeps_once_and_nobody_else) {
  const ShmSegment segment("wakes");
  HostFaults calls;
  ShmPort a(segment), b(segment), c(segment);
  b.drain_all();  // and now it sleeps
  b.watch.collect();
  const std::size_t b_before = b.sink.readies, c_before = c.sink.readies;
  for (int i = 0; i < 10; ++i) a.send(counting(60));
  EXPECT_EQ(calls.calls("sendto"), 1) << "nobody but b sleeps, and once is enough";
  b.watch.collect();
  c.watch.collect();
  EXPECT_EQ(b.sink.readies, b_before + 1);
  EXPECT_EQ(c.sink.readies, c_before);
}

TEST(Shm, says_what_it_uses) {
  const ShmSegment segment("chosen");
  ShmPort a(segment), b(segment);
  EXPECT_NE(b.link.chosen.find("place 1 of 64"), std::string::npos) << b.link.chosen;
}

// --- what is there already ---

TEST(Shm, takes_over_what_is_no_segment_when_nobody_is_there) {
  const ShmSegment segment("garbage");
  for (const std::string contents : {"", "x", "no record at all, but long enough to be taken for one"}) {
    std::filesystem::create_directory(segment.folder());
    std::FILE* const file = std::fopen((segment.folder() / "segment").c_str(), "w");
    std::fputs(contents.c_str(), file);
    std::fclose(file);
    ShmPort a(segment), b(segment);
    a.send(counting(60));
    b.drain_all();
    EXPECT_EQ(b.sink.frames.size(), 1U) << contents;
  }
  EXPECT_FALSE(segment.exists());
}

// Whoever was there when the file was damaged is not pushed aside.
TEST(Shm, refuses_a_segment_that_is_in_use_and_damaged) {
  const ShmSegment segment("damaged");
  ShmPort a(segment), b(segment);
  const int id = segment.memory_id();
  std::filesystem::resize_file(segment.folder() / "segment", 3);
  const auto refused = a.open(segment.linkstr());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), EPROTO);
  a.send(counting(60));  // they do not even notice
  b.drain_all();
  EXPECT_EQ(b.sink.frames.size(), 1U);
  ::shmctl(id, IPC_RMID, nullptr);
}

TEST(Shm, refuses_memory_of_another_version_while_it_is_in_use_and_replaces_it_later) {
  const ShmSegment segment("version");
  {
    ShmPort a(segment);
    SharedView(segment)->header.version.store(shm::Header::kVersion + 1);
    const auto refused = a.open(segment.linkstr());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().number(), EPROTO);
    EXPECT_NE(refused.error().text.find("version"), std::string::npos) << refused.error().text;
  }
  EXPECT_FALSE(segment.exists());
  ShmPort again(segment);
}

TEST(Shm, does_not_touch_the_folder_of_another_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  const ShmSegment segment("stranger");
  std::filesystem::create_directory(segment.folder());
  ASSERT_EQ(::chown(segment.folder().c_str(), 65534, 65534), 0);
  ::chmod(segment.folder().c_str(), 0777);
  ShmOpener owner;
  for (const char* const options : {"", ",mode=0660"}) {
    const auto refused = owner.open(segment.linkstr() + options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().number(), EPERM);
    EXPECT_NE(refused.error().text.find("65534"), std::string::npos) << refused.error().text;
  }
}

TEST(Shm, lets_in_the_group_when_both_sides_say_so_and_no_other_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be other users";
  const ShmSegment segment("group");
  const auto as_user = [&](gid_t group, const std::string& options) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(65534) != 0) ::_exit(255);
      ShmOpener opener;
      const auto opened = opener.open(segment.linkstr() + options);
      ::_exit(opened ? 0 : opened.error().number());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  {
    ShmPort a(segment);
    EXPECT_EQ(as_user(0, ""), EACCES);
    EXPECT_EQ(as_user(0, ",mode=0660"), EACCES);
  }
  ShmPort a(segment, ",mode=0660");
  EXPECT_EQ(as_user(0, ",mode=0660"), 0);
  EXPECT_EQ(as_user(65534, ",mode=0660"), EACCES) << "not of the group";
  EXPECT_EQ(as_user(0, ""), EPERM) << "does not say that it trusts the group";
}

TEST(Shm, follows_no_symbolic_link) {
  const ShmSegment segment("symlink"), elsewhere("symlink-target");
  std::filesystem::create_directory(elsewhere.folder());
  std::filesystem::create_symlink(elsewhere.folder(), segment.folder());
  ShmOpener owner;
  EXPECT_FALSE(owner.open(segment.linkstr()));
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere.folder()));
}

// The whole point of System V memory: nobody can take it from under us.
TEST(Shm, goes_on_when_all_its_files_are_cut_and_its_memory_is_removed) {
  const ShmSegment segment("cut");
  ShmPort a(segment), b(segment);
  const int id = segment.memory_id();
  for (const auto& entry : std::filesystem::directory_iterator(segment.folder())) {
    if (entry.is_regular_file()) std::filesystem::resize_file(entry.path(), 0);
  }
  std::filesystem::remove_all(segment.folder());
  ASSERT_EQ(::shmctl(id, IPC_RMID, nullptr), 0);
  for (int i = 0; i < 100; ++i) a.send(counting(60'000));
  b.drain_all();
  EXPECT_EQ(b.sink.frames.size() + b.sink.lost(DropReason::rx_overrun), 100U);
  EXPECT_GT(b.sink.frames.size(), 0U);
}

// --- every call of the host fails ---

TEST(Shm, says_why_it_cannot_be_opened_and_leaves_nothing) {
  const struct {
    const char* call;
    int number;
    int after;
  } kFaults[] = {{"mkdir", EACCES, 0}, {"open", ELOOP, 1},    {"openat", ENOSPC, 0}, {"fcntl", ENOLCK, 0},
                 {"fcntl", ENOLCK, 2}, {"pwrite", ENOSPC, 0}, {"shmget", ENOSYS, 0}, {"shmget", ENOSPC, 0},
                 {"shmat", ENOMEM, 0}, {"socket", EMFILE, 0}, {"bind", ENOSPC, 0},   {"fstat", EIO, 0}};
  const ShmSegment segment("faults");
  ShmOpener owner;
  for (const auto& fault : kFaults) {
    HostFaults faults;
    faults.fail(fault.call, fault.number, HostFaults::kAlways, fault.after);
    const auto refused = owner.open(segment.linkstr());
    ASSERT_FALSE(refused) << fault.call;
    EXPECT_EQ(refused.error().number(), fault.number) << fault.call << ": " << refused.error().text;
    EXPECT_FALSE(refused.error().text.empty());
    faults.heal(fault.call);
    const bool at_the_gate = fault.call == std::string("fcntl") && fault.after == 0;  // there it may not clear away
    EXPECT_EQ(std::filesystem::exists(segment.folder() / "segment"), at_the_gate) << fault.call;
    segment.remove();
  }
  ShmPort works(segment);
}

TEST(Shm, says_who_is_in_the_way_at_the_gate) {
  const ShmSegment segment("gate");
  ShmPort a(segment);
  const auto gate = shm::SegmentFolder::enter({segment.name()});
  ASSERT_TRUE(gate);
  const auto refused = a.open(segment.linkstr());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), EBUSY);
  EXPECT_NE(refused.error().text.find("lslocks"), std::string::npos) << refused.error().text;
}

TEST(Shm, tries_again_when_a_wake_up_could_not_be_sent) {
  const ShmSegment segment("wake-fails");
  ShmPort a(segment), b(segment);
  b.drain_all();
  b.watch.collect();
  const std::size_t before = b.sink.readies;
  {
    HostFaults faults;
    faults.fail("sendto", ENOBUFS, 1);
    a.send(counting(60));
    b.watch.collect();
    EXPECT_EQ(b.sink.readies, before);
    a.send(counting(60));
  }
  b.watch.collect();
  EXPECT_GT(b.sink.readies, before);
}

}  // namespace
