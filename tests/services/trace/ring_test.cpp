// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/services/trace/some_ring.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

constexpr std::uint64_t kPerPage = kPageRecordBytes / (4 + 16);  // of records with 8 bytes of payload

TEST(Ring, gives_back_what_was_put_in_with_its_times) {
  SomeRing ring(2, WhenFull::discard);
  const std::uint64_t times[] = {1'000, 1'000, 1'007, 1'007 + (1U << 27) - 1, 10'000'000'000'000, 10'000'000'000'001};
  for (std::uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(ring.put(i, times[i], 8 + 40 * i));
  const std::vector<Found> found = ring.take();
  ASSERT_EQ(found.size(), 6U);
  for (std::uint64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(found[i].number, i);
    EXPECT_EQ(found[i].time_ns, times[i]);
    EXPECT_EQ(found[i].missed_before, 0U);
  }
  EXPECT_FALSE(ring.damaged);
}

TEST(Ring, takes_a_clock_that_goes_back_for_one_that_stands) {
  SomeRing ring(2, WhenFull::discard);
  ring.put(0, 500);
  ring.put(1, 400);
  ring.put(2, 501);
  const std::vector<Found> found = ring.take();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].time_ns, 500U);
  EXPECT_EQ(found[2].time_ns, 501U);
}

TEST(Ring, discards_the_newest_and_counts_them_where_they_are_missing) {
  SomeRing ring(4, WhenFull::discard);
  std::uint64_t number = 0;
  while (ring.put(number, number)) ++number;
  EXPECT_EQ(number, 4 * kPerPage);
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(ring.put(0, 0)) << "a shorter one does not slip in, either";
  std::vector<Found> found = ring.take();
  EXPECT_EQ(found.size(), 4 * kPerPage);
  EXPECT_EQ(ring.reader.lost(), 10U) << "those at the end count before anything comes after them";
  ASSERT_TRUE(ring.put(0, number));
  found = ring.take();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].missed_before, 10U);
  EXPECT_EQ(ring.reader.lost(), 10U);
  EXPECT_EQ(ring.reader.taken() + ring.reader.lost(), number + 1 + 9 + 1);
}

TEST(Ring, overwrites_the_oldest_and_counts_them) {
  SomeRing ring(4, WhenFull::overwrite);
  constexpr std::uint64_t kOffered = 100 * kPerPage + 7;
  for (std::uint64_t i = 0; i < kOffered; ++i) ASSERT_TRUE(ring.put(i, i));
  const std::vector<Found> found = ring.take();
  ASSERT_EQ(found.size(), 3 * kPerPage + 7);
  EXPECT_EQ(found[0].number, kOffered - found.size());
  EXPECT_EQ(found[0].missed_before, found[0].number);
  EXPECT_EQ(found.back().number, kOffered - 1);
  EXPECT_EQ(ring.reader.taken() + ring.reader.lost(), kOffered);
}

TEST(Ring, can_be_read_while_a_page_is_being_written) {
  SomeRing ring(4, WhenFull::discard);
  for (std::uint64_t i = 0; i < 10; ++i) ring.put(i, 100 * i);
  EXPECT_TRUE(ring.take(Take::whole).empty());
  EXPECT_EQ(ring.take().size(), 10U);
  EXPECT_TRUE(ring.take().empty());
  for (std::uint64_t i = 10; i < kPerPage + 5; ++i) ring.put(i, 100 * i);
  const std::vector<Found> found = ring.take();
  ASSERT_EQ(found.size(), kPerPage - 5);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].number, i + 10);
    EXPECT_EQ(found[i].time_ns, 100 * (i + 10));
    EXPECT_EQ(found[i].missed_before, 0U);
  }
  EXPECT_EQ(ring.reader.lost(), 0U);
}

TEST(Ring, what_is_abandoned_was_never_there) {
  SomeRing ring(2, WhenFull::discard);
  ring.put(0, 10);
  ASSERT_NE(ring.writer.begin(100, 20), nullptr);
  ASSERT_NE(ring.writer.begin(16, std::uint64_t{1} << 40), nullptr);
  ring.put(1, 30);
  const std::vector<Found> found = ring.take();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].time_ns, 30U);
  EXPECT_EQ(ring.reader.lost(), 0U);
}

TEST(Ring, counts_what_is_too_long_for_a_page) {
  SomeRing ring(2, WhenFull::discard);
  EXPECT_TRUE(ring.put(0, 0, kPageRecordBytes - 8 - kRecordHeaderBytes));
  EXPECT_FALSE(ring.put(1, 0, kPageRecordBytes - 7 - kRecordHeaderBytes));
  EXPECT_TRUE(ring.put(2, 0));
  EXPECT_EQ(ring.take().size(), 2U);
  EXPECT_EQ(ring.reader.lost(), 1U);
}

TEST(Ring, pages_say_what_the_kernel_s_tools_want_to_know) {
  SomeRing ring(2, WhenFull::discard);
  std::uint64_t number = 0;
  while (ring.put(number, number)) ++number;
  RingReader::Page page;
  ASSERT_TRUE(ring.reader.next(page, Take::everything));
  const auto word = [&](std::size_t at) { return load<std::uint64_t, std::endian::native>(&page[at]); };
  EXPECT_EQ(word(8), kPerPage * 20);
  EXPECT_EQ((load<std::uint32_t, std::endian::native>(&page[16])), 4U) << "16 bytes are 4 words, no time passed";
  EXPECT_EQ((load<std::uint32_t, std::endian::native>(&page[36])), 4U | 1U << 5) << "1 ns later";
  ring.put(number, number);
  ASSERT_TRUE(ring.reader.next(page, Take::everything));
  ASSERT_TRUE(ring.reader.next(page, Take::everything));
  EXPECT_EQ(word(8), 20U | 1U << 31 | 1U << 30);
  EXPECT_EQ(word(16 + 20), 1U) << "lost before it, after its data";
}

TEST(RingReader, refuses_what_is_no_ring) {
  SomeRing ring(2, WhenFull::discard);
  const MutBytes memory = ring.pages.bytes();
  EXPECT_FALSE(RingReader::open(memory.first(4096)));
  EXPECT_FALSE(RingReader::open(memory.first(memory.size() - kPageBytes)));
  RingHeader& header = *reinterpret_cast<RingHeader*>(memory.data());
  for (SharedWord* word : {&header.magic, &header.version, &header.pages, &header.when_full}) {
    const std::uint64_t before = word->load();
    for (const std::uint64_t wrong : {std::uint64_t{1'000'000}, ~std::uint64_t{0}}) {
      word->store(wrong);
      EXPECT_EQ(RingReader::open(memory).error().number(), EINVAL);
    }
    word->store(before);
  }
  EXPECT_TRUE(RingReader::open(memory));
}

TEST(RingReader, stops_at_damage_and_goes_on_with_the_next_page) {
  SomeRing ring(4, WhenFull::discard);
  for (std::uint64_t i = 0; i < 2 * kPerPage; ++i) ring.put(i, i);
  std::byte* const second = ring.pages.bytes().data() + ring_head_bytes(4) + kPageHeaderBytes + 20;
  for (const std::uint32_t wrong : {0x1cU, 0x0U, 0xffffffffU}) {
    store<std::uint32_t, std::endian::native>(second, wrong);
    RingReader reader = std::move(RingReader::open(ring.pages.bytes())).value();
    RingReader::Page page;
    ASSERT_TRUE(reader.next(page, Take::everything));
    PageEvents events(page);
    PageEvent event;
    EXPECT_TRUE(events.next(event));
    while (events.next(event)) EXPECT_LE(event.record.data() + event.record.size(), page.data() + page.size());
    ASSERT_TRUE(reader.next(page, Take::everything));
  }
}

TEST(RingReader, ends_whatever_number_of_pages_is_said_to_be_ready) {
  SomeRing ring(2, WhenFull::discard);
  ring.put(0, 0);
  RingHeader& header = *reinterpret_cast<RingHeader*>(ring.pages.bytes().data());
  for (const std::uint64_t wrong : {~std::uint64_t{0}, ~std::uint64_t{0} - 1, std::uint64_t{1} << 63}) {
    header.ready.store(wrong);
    RingReader reader = std::move(RingReader::open(ring.pages.bytes())).value();
    RingReader::Page page;
    int taken = 0;
    while (taken < 10 && reader.next(page, Take::everything)) ++taken;
    EXPECT_LE(taken, 2) << wrong;
  }
}

}  // namespace
