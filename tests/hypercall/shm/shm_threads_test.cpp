// SPDX-License-Identifier: BSD-2-Clause
// Rings and links with senders and receivers in threads of their own, for TSan to watch. What processes add to that is
// in shm_death_test.cpp.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "tests/hypercall/shm/one_ring.hpp"
#include "tests/hypercall/shm/shm_port.hpp"

namespace {

using namespace vif;
using namespace vif::test;
namespace shm = vif::host::shm;

// However fast the sender writes over them, no reader takes a torn frame for a whole one, and each accounts for all.
TEST(RingThreads, give_whole_frames_in_order_or_count_them) {
  OneRing ring;
  static constexpr unsigned kFrames = 60'000;
  std::vector<std::thread> readers;
  std::atomic<int> ready{0};
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&ring, &ready, i] {
      shm::RingReader reader = ring.reader();
      const auto buffer = std::make_unique<shm::ReadBuffer>();
      ++ready;
      std::uint64_t seen = 0, lost = 0;
      unsigned next = 0;
      while (seen + lost < kFrames) {
        const shm::RingReader::Burst burst = reader.read(32, *buffer);
        for (const drv::RxFrame& frame : burst.frames) {
          unsigned number = 0;
          std::memcpy(&number, frame.bytes.data(), sizeof number);
          ASSERT_GE(number, next);
          next = number + 1;
          const Frame whole = numbered(64 + number % 9 * 500, number);
          ASSERT_TRUE(std::equal(frame.bytes.begin(), frame.bytes.end(), whole.begin(), whole.end())) << number;
        }
        seen += burst.frames.size();
        lost += burst.overrun;
        ASSERT_EQ(burst.malformed, 0U);
        if (burst.looked_at == 0 || i == 2) std::this_thread::yield();
      }
      EXPECT_EQ(seen + lost, kFrames);
    });
  }
  while (ready < 3) std::this_thread::yield();
  for (unsigned i = 0; i < kFrames; ++i) ring.write(numbered(64 + i % 9 * 500, i));
  for (std::thread& reader : readers) reader.join();
}

// Two links talk in turns, each asleep while the other works: a lost wake-up would be the end of it.
TEST(ShmThreads, never_oversleep) {
  const ShmSegment segment("ping");
  constexpr int kTurns = 3000;
  ShmPort first(segment), second(segment);
  const auto wait = [](ShmPort& port, int turn) {
    for (port.sink.frames.clear(); port.sink.frames.empty();) {
      if (port.drain(64)) continue;
      pollfd waited{port.watch.fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&waited, 1, 20'000), 1) << "in turn " << turn;
      port.watch.collect();
    }
  };
  std::thread other([&] {
    for (int turn = 0; turn < kTurns; ++turn) {
      wait(second, turn);
      second.send(counting(60));
    }
  });
  for (int turn = 0; turn < kTurns; ++turn) {
    first.send(counting(60));
    wait(first, turn);
  }
  other.join();
}

// Attachers come and go in one thread while others send: whoever stays gets all that is sent meanwhile.
TEST(ShmThreads, come_and_go_without_disturbing_who_stays) {
  const ShmSegment segment("churn");
  ShmPort sender(segment), receiver(segment);
  std::atomic<bool> done{false};
  std::atomic<int> came{0};
  std::thread churn([&] {
    for (; !done; ++came) ShmPort(segment).send(Frame(60, std::byte{0xee}));
  });
  unsigned sent = 0, next = 0;
  while (came < 300) {
    sender.send(numbered(60, sent++));
    receiver.drain(64);
    for (const WireFrame& frame : std::exchange(receiver.sink.frames, {})) {
      if (frame.bytes[30] == std::byte{0xee}) continue;
      ASSERT_EQ(frame.bytes, numbered(60, next++));
    }
  }
  done = true;
  churn.join();
  receiver.drain_all();
  for (const WireFrame& frame : receiver.sink.frames) next += frame.bytes[30] != std::byte{0xee};
  EXPECT_EQ(next, sent);
  EXPECT_EQ(receiver.sink.lost(DropReason::rx_overrun), 0U);
}

}  // namespace
