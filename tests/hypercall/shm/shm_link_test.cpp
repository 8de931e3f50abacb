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
  EXPECT_TRUE(b.drain(64)) << "awake: there may be more";
  a.send(counting(60));
  EXPECT_EQ(calls.calls("sendto"), 1) << "and who is awake is not woken";
}

TEST(Shm, says_what_it_uses) {
  const ShmSegment segment("chosen");
  ShmPort a(segment), b(segment);
  EXPECT_NE(b.link.chosen.find("place 1 of 64"), std::string::npos) << b.link.chosen;
}

}  // namespace
