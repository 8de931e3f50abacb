// SPDX-License-Identifier: BSD-2-Clause
// One writer, one reader that sleeps whenever nothing is there: every byte arrives, in order, and no wake-up is lost.
#include "hypercall/host/capture/byte_ring.hpp"

#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

namespace {

using namespace vif;

constexpr std::uint32_t kMessages = 20'000;

TEST(ByteRingThreads, carries_everything_and_loses_no_wake_up) {
  host::ByteRing ring(4096);
  std::counting_semaphore<> wakes(0);
  std::thread writer([&] {
    std::array<std::byte, 300> message;
    for (std::uint32_t number = 0; number < kMessages; ++number) {
      const std::size_t bytes = 1 + number % message.size();
      for (std::size_t i = 0; i < bytes; ++i) message[i] = static_cast<std::byte>(number + i);
      while (!ring.has_room(bytes)) std::this_thread::yield();
      ring.put(Bytes(message).first(bytes));
      if (ring.publish()) wakes.release();
    }
  });
  std::uint32_t number = 0;
  std::size_t at = 0;  // in the message
  std::size_t slept = 0;
  while (number < kMessages) {
    const auto pieces = ring.readable();
    for (const Bytes piece : pieces) {
      for (const std::byte byte : piece) {
        ASSERT_EQ(byte, static_cast<std::byte>(number + at)) << number;
        if (++at == 1 + number % 300) at = 0, ++number;
      }
    }
    ring.consume(pieces[0].size() + pieces[1].size());
    if (number < kMessages && ring.may_sleep()) {
      ++slept;
      wakes.acquire();
    }
  }
  writer.join();
  EXPECT_FALSE(wakes.try_acquire()) << "one wake-up for each sleep";
  EXPECT_TRUE(ring.readable()[0].empty());
  RecordProperty("slept", static_cast<int>(slept));
}

}  // namespace
