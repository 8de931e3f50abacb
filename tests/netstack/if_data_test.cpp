// SPDX-License-Identifier: BSD-2-Clause
// What an interface's counters add up to, for every reason there is.
#include "netstack/if_data.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::net;

// Every reason is in at most one of BSD's error counters, and in the sum of its direction.
TEST(IfData, counts_each_reason_in_its_place) {
  struct Place {
    DropReason reason;
    std::uint64_t IfData::*bsd;  // null: in none
    bool received, offered;
  };
  using enum DropReason;
  const Place places[] = {
      {other_linktype, nullptr, true, false},
      {other_network, nullptr, true, false},
      {unknown_peer, nullptr, true, false},
      {rx_overrun, &IfData::iqdrops, true, false},
      {rx_impaired, &IfData::iqdrops, true, false},
      {rx_malformed, &IfData::ierrors, true, false},
      {not_running, nullptr, true, false},
      {too_short, &IfData::ierrors, true, false},
      {too_long, &IfData::ierrors, true, false},
      {own_echo, nullptr, true, false},
      {not_for_us, nullptr, true, false},
      {no_mbuf, &IfData::iqdrops, true, false},
      {promisc_only, nullptr, false, false},
      {bad_length, &IfData::noproto, false, false},
      {unknown_type, &IfData::noproto, false, false},
      {queue_full, &IfData::oqdrops, false, true},
      {tx_too_short, &IfData::oerrors, false, true},
      {tx_too_long, &IfData::oerrors, false, true},
      {tx_offload, &IfData::oerrors, false, true},
      {tx_no_mbuf, &IfData::oerrors, false, true},
      {tx_down, &IfData::oerrors, false, true},
      {filtered, nullptr, false, false},
  };
  EXPECT_EQ(std::size(places) + 2, kDropReasons) << "tx_impaired and tx_error have a test of their own";
  for (const Place& place : places) {
    IfCounters counters;
    counters.drop(place.reason, 3);
    const IfData data = counters.read();
    EXPECT_EQ(data.dropped(place.reason), 3U);
    EXPECT_EQ(data.received(), place.received ? 3U : 0U) << name(place.reason);
    EXPECT_EQ(data.offered(), place.offered ? 3U : 0U) << name(place.reason);
    EXPECT_EQ(data.ierrors + data.iqdrops + data.noproto + data.oerrors + data.oqdrops, place.bsd ? 3U : 0U);
    if (place.bsd != nullptr) {
      EXPECT_EQ(data.*place.bsd, 3U) << name(place.reason);
    }
  }
}

TEST(IfData, moves_a_frame_that_failed_late_from_sent_to_errors) {
  IfCounters counters;
  counters.otaken.add(10);
  counters.drop(DropReason::tx_error, 4);
  counters.drop(DropReason::tx_impaired, 3);
  const IfData data = counters.read();
  EXPECT_EQ(data.opackets, 3U);
  EXPECT_EQ(data.oerrors, 7U);
  EXPECT_EQ(data.offered(), 10U);
}

TEST(IfData, never_counts_below_zero_when_a_failure_is_heard_of_after_zeroing) {
  IfCounters counters;
  counters.otaken.add(1);
  counters.take(Time(1));
  counters.drop(DropReason::tx_error);
  EXPECT_EQ(counters.read().opackets, 0U);
  EXPECT_EQ(counters.read().oerrors, 1U);
}

TEST(IfData, adds_up_what_was_passed_and_what_was_not) {
  IfCounters counters;
  counters.ipackets.add(5);
  counters.drop(DropReason::not_for_us, 2);
  counters.drop(DropReason::unknown_type, 3);  // of the five
  EXPECT_EQ(counters.read().received(), 7U);
}

TEST(IfData, is_read_and_zeroed_in_one_go) {
  IfCounters counters;
  Counter* const all[] = {&counters.ipackets,   &counters.ibytes, &counters.imcasts, &counters.isegments,
                          &counters.otaken,     &counters.obytes, &counters.omcasts, &counters.osegments,
                          &counters.linearised, &counters.ocut};
  for (std::size_t i = 0; i < std::size(all); ++i) all[i]->add(i + 1);
  counters.drop(DropReason::no_mbuf, 99);
  counters.changed(Time(5));

  const IfData before = counters.take(Time(77));
  EXPECT_EQ(before.ipackets, 1U);
  EXPECT_EQ(before.ibytes, 2U);
  EXPECT_EQ(before.imcasts, 3U);
  EXPECT_EQ(before.isegments, 4U);
  EXPECT_EQ(before.opackets, 5U);
  EXPECT_EQ(before.obytes, 6U);
  EXPECT_EQ(before.omcasts, 7U);
  EXPECT_EQ(before.osegments, 8U);
  EXPECT_EQ(before.linearised, 9U);
  EXPECT_EQ(before.ocut, 10U);
  EXPECT_EQ(before.dropped(DropReason::no_mbuf), 99U);
  EXPECT_EQ(before.lastchange, Time(5));

  const IfData after = counters.read();
  EXPECT_EQ(after.ipackets + after.ibytes + after.imcasts + after.isegments + after.opackets + after.obytes +
                after.omcasts + after.osegments + after.linearised + after.ocut + after.iqdrops,
            0U);
  EXPECT_EQ(after.dropped(DropReason::no_mbuf), 0U);
  EXPECT_EQ(after.lastchange, Time(77));
}

}  // namespace
