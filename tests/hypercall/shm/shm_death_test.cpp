// SPDX-License-Identifier: BSD-2-Clause
// Processes that come, send and are killed at any instruction, and those who stay: they get every frame of each other,
// whole and in order, or know how many they lost. What all leave behind when they die is there to be looked at and to
// be taken over.
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "hypercall/shm/segment_layout.hpp"
#include "tests/hypercall/shm/shm_port.hpp"

namespace {

using namespace vif;
using namespace vif::test;
namespace shm = vif::host::shm;
using Clock = std::chrono::steady_clock;

// Says who sent it, and which of theirs it is; the rest follows from that.
Frame signed_frame(std::uint64_t sender, std::uint64_t number) {
  Frame frame = counting(32 + (sender * 7 + number * 13) % 1400);
  std::memcpy(frame.data(), &sender, sizeof sender);
  std::memcpy(frame.data() + 8, &number, sizeof number);
  for (std::size_t i = 16; i < frame.size(); ++i) frame[i] ^= static_cast<std::byte>(number);
  return frame;
}

// Checks what arrives against what was sent.
class Auditor {
 public:
  void look_at(WireFrames& frames) {
    for (const WireFrame& frame : std::exchange(frames, {})) {
      std::uint64_t sender = 0, number = 0;
      ASSERT_GE(frame.bytes.size(), 32U);
      std::memcpy(&sender, frame.bytes.data(), sizeof sender);
      std::memcpy(&number, frame.bytes.data() + 8, sizeof number);
      ASSERT_EQ(frame.bytes, signed_frame(sender, number)) << "not what " << sender << " sent as " << number;
      const auto [last, is_first] = last_.try_emplace(sender, number);
      ASSERT_TRUE(is_first || number > last->second) << number << " of sender " << sender << " after " << last->second;
      last->second = number;
      ++frames_;
    }
  }
  std::uint64_t frames() const { return frames_; }
  std::size_t senders() const { return last_.size(); }

 private:
  std::map<std::uint64_t, std::uint64_t> last_;
  std::uint64_t frames_ = 0;
};

// A process of its own that attaches, sends bursts without end, and now and then leaves and comes back.
pid_t start_sender(const ShmSegment& segment, std::uint64_t id) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(60);  // whatever becomes of the test
  for (std::uint64_t life = id << 32;; ++life) {
    ShmPort port(segment);
    if (!port.link.port) ::_exit(3);
    for (std::uint64_t number = 0; number < 2000; number += 8) {
      WireFrames burst;
      for (std::uint64_t i = 0; i < 8; ++i) burst.push_back({signed_frame(life, number + i)});
      port.send(burst);
      port.drain(64);
      port.sink.frames.clear();
    }
  }
}

// Senders that end with the test, however that ends.
class Senders {
 public:
  ~Senders() {
    while (!pids_.empty()) kill(0);
  }
  std::size_t count() const { return pids_.size(); }
  void start(const ShmSegment& segment, std::uint64_t id) { pids_.push_back(start_sender(segment, id)); }
  void kill(std::size_t which) {
    const pid_t pid = pids_[which];
    pids_.erase(pids_.begin() + static_cast<std::ptrdiff_t>(which));
    EXPECT_EQ(::kill(pid, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself, with " << WEXITSTATUS(status);
  }

 private:
  std::vector<pid_t> pids_;
};

// How many frames all others have ever published in this segment.
std::uint64_t published_by_others(const shm::Segment& shared, std::size_t us) {
  std::uint64_t frames = 0;
  for (std::size_t place = 0; place < shm::kPlaces; ++place) {
    if (place != us) frames += shared.progress[place].published.load();
  }
  return frames;
}

TEST(ShmDeath, of_any_number_at_any_instruction_is_missed_by_nobody) {
  const ShmSegment segment("storm");
  ShmPort receiver(segment), steady(segment);
  const SharedView shared(segment);
  Auditor auditor;
  std::mt19937 random(42);
  Senders senders;
  std::uint64_t id = 1, sent = 0, killed = 0;
  const auto end = Clock::now() + std::chrono::seconds(4);
  while (Clock::now() < end || killed < 4) {  // however slow the machine is
    while (senders.count() < 6) senders.start(segment, ++id);
    for (int i = 0; i < 20; ++i) {
      steady.send(signed_frame(0, ++sent));
      receiver.drain(256);
      ASSERT_NO_FATAL_FAILURE(auditor.look_at(receiver.sink.frames));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
    }
    senders.kill(random() % senders.count());
    ++killed;
  }
  while (senders.count() > 0) senders.kill(0);
  receiver.drain_all();
  ASSERT_NO_FATAL_FAILURE(auditor.look_at(receiver.sink.frames));
  EXPECT_EQ(auditor.frames() + receiver.sink.lost(DropReason::rx_overrun), published_by_others(*shared, 0))
      << "every frame is delivered or counted";
  EXPECT_GT(killed, 3U);
  EXPECT_GT(auditor.senders(), 3U);
  ShmPort late(segment);  // the dead hold no places, and no gate
  steady.send(signed_frame(0, ++sent));
  late.drain_all();
  EXPECT_EQ(late.sink.frames.size(), 1U);
}

// Runs `work`, which ends with its own death, in a process.
template <class Work>
void in_a_process_that_is_killed(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(ShmDeath, leaves_its_place_and_its_frames_to_the_next) {
  const ShmSegment segment("heir");
  in_a_process_that_is_killed([&] {
    ShmPort killed(segment);
    killed.send(counting(61));
    ::raise(SIGKILL);
  });
  ASSERT_TRUE(segment.exists());
  const int id = segment.memory_id();
  ASSERT_GE(id, 0);
  {
    ShmPort a(segment), b(segment);
    EXPECT_EQ(segment.memory_id(), id) << "it is recovered, not made anew";
    EXPECT_NE(a.link.chosen.find("place 0"), std::string::npos);
    a.send(counting(62));
    b.drain_all();
    EXPECT_EQ(b.sink.frames, (WireFrames{{counting(62)}}));
  }
  EXPECT_FALSE(segment.exists());
}

TEST(ShmDeath, of_a_sleeper_is_no_burden) {
  const ShmSegment segment("sleeper");
  ShmPort a(segment);
  in_a_process_that_is_killed([&] {
    ShmPort sleeper(segment);
    sleeper.drain_all();
    ::raise(SIGKILL);
  });
  const SharedView shared(segment);
  EXPECT_NE(shared->asleep[1].load(), 0U);
  a.send(counting(60));
  EXPECT_EQ(shared->asleep[1].load(), 0U) << "nobody will try to wake it again";
}

// Sleep and wake-up across processes and network namespaces.
TEST(ShmProcess, wakes_a_sleeper_in_another_process_and_network_namespace) {
  const ShmSegment segment("across");
  ShmPort a(segment);
  const pid_t child = ::fork();
  if (child == 0) {
    [[maybe_unused]] const bool in_another = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    ShmPort b(segment);
    b.drain_all();
    pollfd waited{b.watch.fd(), POLLIN, 0};
    if (::poll(&waited, 1, 20'000) != 1) ::_exit(2);
    b.watch.collect();
    b.drain_all();
    ::_exit(b.sink.readies == 1 && b.sink.frames.size() == 1 ? 0 : 3);
  }
  const SharedView shared(segment);
  for (int i = 0; i < 20'000 && shared->asleep[1].load() == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  a.send(counting(60));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
