// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/base/drop_reason.hpp"

#include <gtest/gtest.h>

#include <set>

#include "netstack/base/counter.hpp"

namespace {

using namespace vif;

TEST(DropReason, has_a_name_of_its_own_for_each) {
  const std::set<std::string_view> names(kDropReasonNames.begin(), kDropReasonNames.end());
  EXPECT_EQ(names.size(), kDropReasons);
  EXPECT_FALSE(names.contains(""));
}

// Users read these in replay's JSON: a name in the wrong place would blame the wrong rule.
TEST(DropReason, is_called_what_the_enumerator_is_called) {
  EXPECT_EQ(name(DropReason::other_linktype), "other_linktype");
  EXPECT_EQ(name(DropReason::rx_impaired), "rx_impaired");
  EXPECT_EQ(name(DropReason::rx_malformed), "rx_malformed");
  EXPECT_EQ(name(DropReason::unknown_peer), "unknown_peer");
  EXPECT_EQ(name(DropReason::not_running), "not_running");
  EXPECT_EQ(name(DropReason::too_short), "too_short");
  EXPECT_EQ(name(DropReason::not_for_us), "not_for_us");
  EXPECT_EQ(name(DropReason::no_mbuf), "no_mbuf");
  EXPECT_EQ(name(DropReason::unknown_type), "unknown_type");
  EXPECT_EQ(name(DropReason::queue_full), "queue_full");
  EXPECT_EQ(name(DropReason::tx_impaired), "tx_impaired");
  EXPECT_EQ(name(DropReason::tx_error), "tx_error");
  EXPECT_EQ(name(DropReason::filtered), "filtered");
}

TEST(Counter, adds_and_starts_again) {
  Counter counter;
  counter.add(3);
  counter.add(1ULL << 40);
  EXPECT_EQ(counter.get(), (1ULL << 40) + 3);
  counter.reset();
  EXPECT_EQ(counter.get(), 0U);
}

}  // namespace
