// SPDX-License-Identifier: BSD-2-Clause
// Two witnesses of the same loss: no event is told as lost twice, and none is forgotten.
#include "hypercall/connector/loss_ledger.hpp"

#include <gtest/gtest.h>

namespace {

using vif::host::LossLedger;

TEST(LossLedger, sees_gaps_of_each_processor) {
  LossLedger ledger;
  EXPECT_EQ(ledger.arrived(0, 100), 0U) << "the first of a processor tells nothing of what was before";
  EXPECT_EQ(ledger.arrived(1, 7), 0U);
  EXPECT_EQ(ledger.arrived(0, 101), 0U);
  EXPECT_EQ(ledger.arrived(0, 105), 3U);
  EXPECT_EQ(ledger.arrived(1, 8), 0U);
}

TEST(LossLedger, tells_a_loss_once_whoever_saw_it_first) {
  LossLedger ledger;
  ledger.arrived(0, 0);
  EXPECT_EQ(ledger.dropped(5), 5U);
  EXPECT_EQ(ledger.arrived(0, 4), 0U) << "three of the five";
  ledger.arrived(1, 0);
  EXPECT_EQ(ledger.arrived(1, 3), 0U) << "the other two";
  EXPECT_EQ(ledger.arrived(0, 6), 1U) << "one more";
  EXPECT_EQ(ledger.dropped(6), 0U);
  EXPECT_EQ(ledger.dropped(8), 2U);
  EXPECT_EQ(ledger.told(), 8U);
}

TEST(LossLedger, counts_on_over_the_end_of_32_bits) {
  LossLedger ledger;
  ledger.arrived(0, UINT32_MAX - 1);
  EXPECT_EQ(ledger.arrived(0, 1), 2U);
  EXPECT_EQ(ledger.arrived(0, 2), 0U);
}

TEST(LossLedger, takes_no_count_that_goes_back_for_a_loss) {
  LossLedger ledger;
  ledger.arrived(0, 100);
  EXPECT_EQ(ledger.arrived(0, 3), 0U);
  EXPECT_EQ(ledger.arrived(0, 4), 0U);
  EXPECT_EQ(ledger.arrived(UINT32_MAX, 5), 0U) << "a processor that cannot be";
}

}  // namespace
