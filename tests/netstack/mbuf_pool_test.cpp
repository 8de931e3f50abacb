// SPDX-License-Identifier: BSD-2-Clause
// What the pool gives out, when it refuses, and that external storage is released exactly once.
#include "netstack/mbuf_pool.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

TEST(MbufPool, gives_up_to_the_largest_captured_frame_and_no_more) {
  MbufPool pool({});
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1918}, std::size_t{1919},
                                  std::size_t{9000}, std::size_t{65'550}, kFrameBytesMax}) {
    const MbufPtr m = pool.get(bytes);
    ASSERT_TRUE(m) << bytes;
    EXPECT_EQ(m->pkthdr.len, 0U);
    EXPECT_GE(m->tailroom(), bytes);
    EXPECT_EQ(m->headroom(), kHeadroomBytes);
  }
  EXPECT_EQ(pool.refused(), 0U);
  EXPECT_EQ(pool.get(kFrameBytesMax + 1024), nullptr);
  EXPECT_EQ(pool.get(SIZE_MAX), nullptr);
  EXPECT_EQ(pool.refused(), 2U);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(MbufPool, copies_the_largest_frame_in_one_piece) {
  MbufPool pool({.counts = {0, 0, 0, 1}, .external = 0});
  const Frame frame = counting(kFrameBytesMax);
  const MbufPtr m = pool.copy_in(frame);
  ASSERT_TRUE(m);
  EXPECT_EQ(m_segments(*m), 1U);
  EXPECT_EQ(flat(*m), frame);
}

TEST(MbufPool, copies_nothing_into_an_empty_packet) {
  MbufPool pool({});
  const MbufPtr m = pool.copy_in({});
  ASSERT_TRUE(m);
  EXPECT_EQ(m->pkthdr.len, 0U);
}

// The rule of NetBSD's drivers: an IP header behind 14 bytes of Ethernet stands on a multiple of 4.
TEST(MbufPool, aligns_what_follows_the_ethernet_header) {
  MbufPool pool({.counts = {3, 3, 3, 3}, .external = 0});
  std::vector<MbufPtr> held;
  for (const std::size_t bytes : {60U, 9000U, 65'550U, 262'144U}) {
    for (int i = 0; i < 3; ++i) {
      held.push_back(pool.get(bytes));
      ASSERT_TRUE(held.back());
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.back()->data() + kEtherHeaderBytes) % 4, 0U);
    }
  }
}

TEST(MbufPool, refuses_and_counts_when_a_size_is_used_up) {
  MbufPool pool({.counts = {2, 1, 0, 0}, .external = 0});
  const MbufPtr a = pool.get(60), b = pool.get(60);
  EXPECT_EQ(pool.get(60), nullptr);
  EXPECT_EQ(pool.copy_in(arp_request()), nullptr);
  EXPECT_EQ(pool.refused(), 2U);
  EXPECT_EQ(pool.in_use(), 2U);
  EXPECT_TRUE(pool.get(9000)) << "other sizes are not touched";
}

TEST(MbufPool, gives_the_same_mbuf_again_and_again_as_new) {
  MbufPool pool({.counts = {1, 0, 0, 0}, .external = 0});
  for (int i = 0; i < 3; ++i) {
    MbufPtr m = pool.copy_in(arp_request());
    ASSERT_TRUE(m);
    EXPECT_EQ(m->pkthdr.flags, 0U);
    EXPECT_EQ(m->pkthdr.rcvif, 0U);
    EXPECT_EQ(m->next(), nullptr);
    EXPECT_EQ(flat(*m), arp_request());
    m->pkthdr.flags = M_VLANTAG;
    m->pkthdr.rcvif = 3;
    m_trim_front(m, 20);
  }
}

TEST(MbufPool, bursts_as_far_as_it_goes) {
  MbufPool pool({.counts = {5, 0, 0, 0}, .external = 0});
  std::array<MbufPtr, 4> first, second;
  EXPECT_EQ(pool.get_burst(first, 60), 4U);
  EXPECT_EQ(pool.get_burst(second, 60), 1U);
  EXPECT_TRUE(second[0]);
  EXPECT_FALSE(second[1]);
  EXPECT_EQ(pool.in_use(), 5U);
  MbufPool::put_burst(first);
  MbufPool::put_burst(second);
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.get_burst(first, 60), 4U);
}

TEST(MbufPool, appends_to_the_last_piece) {
  MbufPool pool({});
  MbufPtr m = chain(pool, arp_request(), 20);
  const Frame more = hex("0102030405");
  std::copy(more.begin(), more.end(), MbufPool::append(*m, more.size()));
  EXPECT_EQ(flat(*m), arp_request() + more);
  EXPECT_EQ(m_segments(*m), 3U);
}

// Storage that the backend owns. Each release is written down.
class ExternalStorage : public testing::Test {
 protected:
  ~ExternalStorage() override { EXPECT_EQ(pool.in_use(), 0U); }

  MbufPtr attach() { return pool.attach_external(storage, note, this); }
  static void note(void* self, MutBytes released) {
    auto& test = *static_cast<ExternalStorage*>(self);
    ++test.releases;
    EXPECT_EQ(released.data(), test.storage.data());
    EXPECT_EQ(released.size(), test.storage.size());
  }

  MbufPool pool{{.counts = {4, 0, 0, 0}, .external = 1}};
  Frame storage = counting(1514);
  int releases = 0;
};

TEST_F(ExternalStorage, is_read_in_place_and_released_with_the_packet) {
  MbufPtr m = attach();
  EXPECT_EQ(m->data(), storage.data());
  EXPECT_EQ(flat(*m), storage);
  EXPECT_EQ(releases, 0);
  m.reset();
  EXPECT_EQ(releases, 1);
}

TEST_F(ExternalStorage, is_released_once_after_trims_to_nothing) {
  MbufPtr m = attach();
  m_trim_front(m, 700);
  m_trim_back(m, 814);
  EXPECT_EQ(releases, 0) << "the mbuf still holds it";
  m.reset();
  EXPECT_EQ(releases, 1);
}

TEST_F(ExternalStorage, is_released_once_as_a_tail_and_as_a_head) {
  MbufPtr head = pool.copy_in(arp_request());
  m_cat(head, attach());
  head.reset();
  EXPECT_EQ(releases, 1);

  MbufPtr external = attach();
  m_cat(external, pool.copy_in(arp_request()));
  ASSERT_NE(m_prepend(external, 14), nullptr);
  external.reset();
  EXPECT_EQ(releases, 2);
}

TEST_F(ExternalStorage, is_released_once_when_pulled_up) {
  MbufPtr m = pool.copy_in(hex("0102"));
  m_cat(m, attach());
  ASSERT_TRUE(m_pullup(m, 100));
  EXPECT_EQ(releases, 0);
  ASSERT_TRUE(m_pullup(m, m->pkthdr.len));
  EXPECT_EQ(releases, 1) << "every byte was copied out of it";
}

TEST_F(ExternalStorage, is_not_released_when_it_was_refused) {
  const MbufPtr m = attach();
  EXPECT_FALSE(attach());
  EXPECT_EQ(pool.refused(), 1U);
  EXPECT_EQ(releases, 0);
}

TEST_F(ExternalStorage, may_take_mbufs_inside_its_release) {
  struct Copy {
    MbufPool& pool;
    MbufPtr kept;
    static void release(void* self, MutBytes storage) {
      auto& copy = *static_cast<Copy*>(self);
      copy.kept = copy.pool.copy_in(storage);
    }
  };
  Copy copy{pool, nullptr};
  pool.attach_external(storage, Copy::release, &copy).reset();
  ASSERT_TRUE(copy.kept);
  EXPECT_EQ(flat(*copy.kept), storage);
}

}  // namespace
