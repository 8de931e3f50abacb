// SPDX-License-Identifier: BSD-2-Clause
// How many rings a session has, and when it says that what it records is described anew.
#include <gtest/gtest.h>

#include <cerrno>

#include "services/trace/session.hpp"
#include "tests/services/trace/rig.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class SessionLimits : public testing::Test {
 protected:
  HeapPages pages;
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
  std::unique_ptr<DataFile> data = std::move(tracing->open_data(0)).value();
  SetClock clock;
  Writer writer{77, clock};
};

// All rings in the same place: nothing is written into them.
TEST_F(SessionLimits, has_as_many_rings_as_a_file_can_have_and_counts_the_rest) {
  class OneRing final : public PagesPort {
   public:
    explicit OneRing(HeapPages& heap) : ring_(heap, ring_bytes(2)) {}
    MutBytes map(std::size_t) override { return ring_.bytes(); }
    void unmap(MutBytes) override {}

   private:
    Pages ring_;
  } same(pages);
  ASSERT_TRUE(data->add("a u32 v"));
  Writer other{78, clock};  // outlives the session
  auto session = *Session::open(*tracing, pages, {.ring_pages = 2, .rings = &same});
  ASSERT_TRUE(session->enable("a"));
  for (std::size_t i = 0; i < kRingsMax; ++i) ASSERT_TRUE(session->add_writer(other));
  EXPECT_EQ(session->add_writer(writer).error().number(), EMFILE);
  const std::uint32_t value = 1;
  const Bytes slice = std::as_bytes(std::span(&value, 1));
  EXPECT_EQ(data->write(writer, 0, Slices(std::span(&slice, 1))), 0);
  EXPECT_EQ(session->lost_without_ring(), 1U);
}

TEST_F(SessionLimits, says_when_it_records_other_events) {
  ASSERT_TRUE(data->add("a u32 v"));
  auto session = *Session::open(*tracing, pages, {});
  EXPECT_EQ(session->generation(), 0U);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(session->enable("*"));
    EXPECT_EQ(session->generation(), 1U) << "once, not each time";
  }
  ASSERT_TRUE(data->add("b u32 v"));
  EXPECT_EQ(session->generation(), 2U);
}

}  // namespace
