// SPDX-License-Identifier: BSD-2-Clause
// What may be there already when an attacher comes, and calls of the host that fail.
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
