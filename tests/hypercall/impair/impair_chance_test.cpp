// SPDX-License-Identifier: BSD-2-Clause
// How often what is asked for happens, on 100,000 frames under fixed seeds; the bounds are five standard deviations.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>

#include "tests/hypercall/impair/impaired.hpp"
#include "tests/support/super_frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

constexpr std::size_t kFrames = 100'000;

class ImpairChance : public Impaired {
 protected:
  // A frame after the other, with nothing to wait for.
  void flood() {
    for (std::size_t sent = 0; sent < kFrames; sent += 500) arrive(500);
  }
  static void expect_share(std::size_t happened, std::size_t of, double share) {
    const double expected = static_cast<double>(of) * share;
    EXPECT_NEAR(static_cast<double>(happened), expected, 5 * std::sqrt(expected * (1 - share)));
  }
  // Which of the frames, by the number in their last bytes, were passed up.
  std::set<std::uint32_t> passed() const {
    std::set<std::uint32_t> numbers;
    for (const auto& packet : collected.packets) {
      numbers.insert(load_be32(packet.bytes.data() + packet.bytes.size() - 4));
    }
    return numbers;
  }
};

TEST_F(ImpairChance, loses_the_share_asked_for) {
  const net::Ifnet& ifp = impaired(",loss=1%,seed=1");
  flood();
  expect_share(kFrames - collected.packets.size(), kFrames, 0.01);
  EXPECT_EQ(collected.packets.size() + dropped(ifp, DropReason::rx_impaired), kFrames);
}

TEST_F(ImpairChance, loses_what_is_sent_likewise) {
  net::Ifnet& ifp = impaired(",loss=10%,seed=2");
  transmit(ifp, kFrames);
  expect_share(kFrames - wire().sent.size(), kFrames, 0.1);
  EXPECT_EQ(dropped(ifp, DropReason::tx_impaired), kFrames - wire().sent.size());
  EXPECT_EQ(ifp.counters.read().opackets, wire().sent.size());
  EXPECT_EQ(ifp.counters.read().offered(), kFrames);
}

TEST_F(ImpairChance, loses_segments_of_a_super_frame_one_by_one) {
  net::Ifnet& ifp = impaired(",loss=50%,dir=out,seed=4");
  const SuperFrame tcp = super_frame({.payload_bytes = 60'000});
  net::MbufPtr packet = domain.pool().copy_in(tcp.bytes);
  packet->pkthdr.offload = tcp.offload;
  (void)ifp.transmit(std::move(packet));
  pass(1s);
  const net::IfData data = ifp.counters.read();
  EXPECT_EQ(data.opackets, wire().sent.size());
  EXPECT_EQ(data.opackets + data.dropped(DropReason::tx_impaired), 42U);
  EXPECT_GT(data.dropped(DropReason::tx_impaired), 1U);
  EXPECT_EQ(data.offered(), 1U);
}

TEST_F(ImpairChance, loses_all_at_100_percent_and_none_at_0) {
  impaired(",loss=100%,dup=100%,corrupt=0%");
  flood();
  EXPECT_TRUE(collected.packets.empty());
}

// Losses do not come in step: neither every hundredth nor in runs.
TEST_F(ImpairChance, loses_frames_independently) {
  impaired(",loss=10%,seed=3");
  flood();
  const std::set<std::uint32_t> got = passed();
  std::size_t pairs = 0;
  for (std::uint32_t i = 0; i + 1 < kFrames; ++i) pairs += !got.contains(i) && !got.contains(i + 1);
  expect_share(pairs, kFrames, 0.01);
}

TEST_F(ImpairChance, doubles_the_share_asked_for) {
  const net::Ifnet& ifp = impaired(",dup=5%,seed=4");
  flood();
  expect_share(collected.packets.size() - kFrames, kFrames, 0.05);
  EXPECT_EQ(passed().size(), kFrames);
  EXPECT_EQ(ifp.counters.read().received(), collected.packets.size());
}

TEST_F(ImpairChance, flips_one_bit_in_the_share_asked_for_anywhere_in_the_frame) {
  impaired(",corrupt=2%,seed=5");
  const Frame plain = ether(kOurMac, 0x88b5, counting(46));
  for (std::size_t sent = 0; sent < kFrames; sent += 500) {
    for (int i = 0; i < 500; ++i) wire().arrive(plain);
    host.settle();
  }
  ASSERT_EQ(collected.packets.size(), kFrames);
  std::size_t damaged = 0;
  std::set<std::size_t> where;
  for (const auto& packet : collected.packets) {
    ASSERT_EQ(packet.bytes.size(), plain.size());
    int bits = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      bits += std::popcount(std::to_integer<unsigned>(packet.bytes[i] ^ plain[i]));
      if (packet.bytes[i] != plain[i]) where.insert(i);
    }
    ASSERT_LE(bits, 1);
    damaged += static_cast<std::size_t>(bits);
  }
  expect_share(damaged, kFrames, 0.02);
  EXPECT_EQ(where.size(), plain.size()) << "every byte was hit once";
}

TEST_F(ImpairChance, reorders_the_share_asked_for) {
  impaired(",delay=1ms,reorder=25%,seed=6");
  std::size_t at_once = 0;
  for (std::size_t sent = 0; sent < kFrames; sent += 500) {
    const std::size_t before = collected.packets.size();
    arrive(500);
    at_once += collected.packets.size() - before;
    pass(1ms);
  }
  EXPECT_EQ(collected.packets.size(), kFrames);
  expect_share(at_once, kFrames, 0.25);
}

TEST_F(ImpairChance, spreads_jitter_evenly) {
  impaired(",delay=5ms,jitter=5ms,seed=7,limit=5000");
  for (std::size_t sent = 0; sent < kFrames; sent += 5000) {
    arrive(5000);
    pass(10ms);
  }
  ASSERT_EQ(collected.packets.size(), kFrames);
  std::array<std::size_t, 10> tenths{};
  for (const Time due : stamps()) ++tenths[static_cast<std::size_t>(due % 10ms / 1ms)];
  for (const std::size_t tenth : tenths) expect_share(tenth, kFrames, 0.1);
}

}  // namespace
