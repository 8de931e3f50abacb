// SPDX-License-Identifier: BSD-2-Clause
// Chains: what prepend, trim, pullup, copydata and cat do to the bytes, and that every piece finds its way home.
#include "netstack/mbuf.hpp"

#include <gtest/gtest.h>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

class Chain : public testing::Test {
 protected:
  ~Chain() override { EXPECT_EQ(pool.in_use(), 0U) << "an mbuf did not come back"; }

  // Leaves the pool without ordinary mbufs while it lives.
  std::vector<MbufPtr> exhaust() {
    std::vector<MbufPtr> all;
    while (MbufPtr m = pool.get(1)) all.push_back(std::move(m));
    return all;
  }

  MbufPool pool{{.counts = {64, 2, 2, 2}, .external = 2}};
  const Frame frame = counting(60);
};

void fill(std::byte* at, const Frame& bytes) { std::copy(bytes.begin(), bytes.end(), at); }

TEST_F(Chain, prepends_into_headroom_without_another_mbuf) {
  MbufPtr m = pool.copy_in(frame);
  const Frame header = hex("0102030405060708090a0b0c0d0e");
  fill(m_prepend(m, header.size()), header);
  EXPECT_EQ(flat(*m), header + frame);
  EXPECT_EQ(m_segments(*m), 1U);
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST_F(Chain, prepends_another_mbuf_when_the_headroom_is_used_up) {
  MbufPtr m = pool.copy_in(frame);
  m->pkthdr.flags = M_MCAST;
  m->pkthdr.timestamp_ns = 42;
  const Frame big = counting(m->headroom() + 1);
  fill(m_prepend(m, big.size()), big);
  EXPECT_EQ(flat(*m), big + frame);
  EXPECT_EQ(m_segments(*m), 2U);
  EXPECT_EQ(m->pkthdr.flags, M_MCAST) << "the packet header moves to the new front";
  EXPECT_EQ(m->pkthdr.timestamp_ns, 42);
}

TEST_F(Chain, is_as_before_when_prepending_finds_the_pool_empty) {
  MbufPtr m = pool.copy_in(frame);
  const auto rest = exhaust();
  const auto refused = pool.refused();
  EXPECT_EQ(m_prepend(m, m->headroom() + 1), nullptr);
  EXPECT_EQ(flat(*m), frame);
  EXPECT_EQ(pool.refused(), refused + 1);
}

TEST_F(Chain, trims_both_ends_over_any_pieces) {
  for (const std::size_t piece : {1U, 7U, 30U, 60U}) {
    for (const std::size_t front : {0U, 1U, 14U, 30U, 59U}) {
      for (const std::size_t back : {0U, 1U, 29U, 60U}) {
        if (front + back > frame.size()) continue;
        MbufPtr m = chain(pool, frame, piece);
        m_trim_front(m, front);
        m_trim_back(m, back);
        EXPECT_EQ(m->pkthdr.len, frame.size() - front - back);
        EXPECT_EQ(flat(*m), Frame(frame.begin() + static_cast<long>(front), frame.end() - static_cast<long>(back)));
      }
    }
  }
}

TEST_F(Chain, takes_bytes_in_front_again_after_a_trim) {
  MbufPtr m = chain(pool, frame, 7);
  m_trim_front(m, 14);
  fill(m_prepend(m, 3), hex("aabbcc"));
  EXPECT_EQ(flat(*m), hex("aabbcc") + Frame(frame.begin() + 14, frame.end()));
}

TEST_F(Chain, pulls_the_first_bytes_into_one_piece) {
  for (const std::size_t piece : {1U, 13U, 60U}) {
    for (const std::size_t bytes : {0U, 1U, 14U, 59U, 60U}) {
      MbufPtr m = chain(pool, frame, piece);
      m->pkthdr.rcvif = 9;
      ASSERT_TRUE(m_pullup(m, bytes));
      EXPECT_GE(m->len(), bytes);
      EXPECT_EQ(flat(*m), frame);
      EXPECT_EQ(m->pkthdr.rcvif, 9U);
    }
  }
}

TEST_F(Chain, lets_the_old_pieces_go_when_all_of_it_is_pulled_up) {
  MbufPtr m = chain(pool, frame, 7);
  ASSERT_TRUE(m_pullup(m, frame.size()));
  EXPECT_EQ(m_segments(*m), 1U);
  EXPECT_EQ(pool.in_use(), 1U);
}

TEST_F(Chain, is_as_before_when_a_pullup_finds_the_pool_empty) {
  MbufPtr m = chain(pool, frame, 7);
  const auto rest = exhaust();
  EXPECT_FALSE(m_pullup(m, 14));
  EXPECT_EQ(m->len(), 7U);
  EXPECT_EQ(flat(*m), frame);
  EXPECT_TRUE(m_pullup(m, 7)) << "what is in one piece needs no mbuf";
}

TEST_F(Chain, copies_any_part_out) {
  const MbufPtr m = chain(pool, frame, 7);
  for (std::size_t offset = 0; offset <= frame.size(); ++offset) {
    for (const std::size_t bytes : {0U, 1U, 7U, 20U}) {
      if (offset + bytes > frame.size()) continue;
      Frame part(bytes);
      m_copydata(*m, offset, part);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), frame.begin() + static_cast<long>(offset)));
    }
  }
}

TEST_F(Chain, joins_packets_and_adds_their_lengths) {
  MbufPtr m = chain(pool, frame, 30);
  m_cat(m, chain(pool, arp_request(), 14));
  EXPECT_EQ(m->pkthdr.len, 102U);
  EXPECT_EQ(flat(*m), frame + arp_request());
}

TEST_F(Chain, counts_only_pieces_with_bytes_as_segments) {
  MbufPtr m = chain(pool, frame, 20);
  EXPECT_EQ(m_segments(*m), 3U);
  m_trim_front(m, 20);
  EXPECT_EQ(m_segments(*m), 2U);
  m_trim_back(m, 40);
  EXPECT_EQ(m_segments(*m), 0U);
}

// A super-frame stands for as many frames as the wire will see.
TEST(OffloadSegments, counts_frames_on_the_wire) {
  EXPECT_EQ(segments({}, 60'000), 1U);
  const Offload tcp{.gso_type = Offload::kGsoTcp4, .hdr_len = 54, .gso_size = 1448};
  EXPECT_EQ(segments(tcp, 54 + 1448), 1U);
  EXPECT_EQ(segments(tcp, 54 + 1449), 2U);
  EXPECT_EQ(segments(tcp, 54 + 10 * 1448), 10U);
  EXPECT_EQ(segments(tcp, 10), 1U) << "shorter than its own header: still one frame";
  EXPECT_EQ(segments({.gso_type = Offload::kGsoTcp4}, 60'000), 1U) << "no segment size: not a division by zero";
}

}  // namespace
