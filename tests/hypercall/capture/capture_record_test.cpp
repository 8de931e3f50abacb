// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/capture/capture_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace {

using namespace vif;
using host::CaptureRecord;

std::vector<std::byte> bytes_of(const CaptureRecord& record) {
  const auto head = host::capture_head(record, record.body.size());
  std::vector<std::byte> bytes(head.size() + record.body.size());
  std::ranges::copy(record.body, std::ranges::copy(head, bytes.begin()).out);
  return bytes;
}

// As docs/protocol.md lays it out for other clients.
TEST(CaptureRecord, is_laid_out_as_documented) {
  const std::vector<std::byte> body(3, std::byte{0xee});
  const std::vector<std::byte> bytes = bytes_of({.outbound = true,
                                                 .interface = 0x0201,
                                                 .time_ns = 0x0807060504030201,
                                                 .wire_bytes = 0x44332211,
                                                 .lost = 0x88776655,
                                                 .body = body});
  const std::vector<unsigned> expected = {3, 0, 0,    0,    0,    1,    1,    2,    1,    2,    3,    4,    5,   6,
                                          7, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0xee, 0xee, 0xee};
  ASSERT_EQ(bytes.size(), expected.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(std::to_integer<unsigned>(bytes[i]), expected[i]) << i;
}

TEST(CaptureRecord, waits_for_the_whole) {
  const std::vector<std::byte> body(100, std::byte{1});
  std::vector<std::byte> bytes = bytes_of({.interface = 1, .time_ns = -5, .wire_bytes = 200, .lost = 7, .body = body});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto record = host::parse_capture_record(Bytes(bytes).first(size), 2);
    ASSERT_TRUE(record);
    EXPECT_FALSE(*record) << size;
  }
  bytes.push_back(std::byte{9});
  const auto record = host::parse_capture_record(bytes, 2);
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((**record).time_ns, -5);
  EXPECT_EQ((**record).wire_bytes, 200u);
  EXPECT_EQ((**record).lost, 7u);
  EXPECT_EQ((**record).body.size(), 100u);
}

TEST(CaptureRecord, refuses_what_virtifd_never_says) {
  const std::vector<std::byte> good = bytes_of({});
  const auto with = [&good](std::size_t at, unsigned value) {
    std::vector<std::byte> bad = good;
    bad[at] = static_cast<std::byte>(value);
    return host::parse_capture_record(bad, 2);
  };
  ASSERT_TRUE(with(0, 0));
  EXPECT_EQ(with(3, 1).error().number(), EPROTO) << "16 MiB";
  EXPECT_EQ(with(4, 3).error().number(), EPROTO) << "a kind there is not";
  EXPECT_EQ(with(4, 1).error().number(), EPROTO) << "a tally of no bytes";
  EXPECT_EQ(with(5, 2).error().number(), EPROTO) << "neither in nor out";
  EXPECT_EQ(with(6, 2).error().number(), EPROTO) << "an interface there is not";
}

TEST(CaptureRecord, carries_a_tally) {
  const auto tally = host::tally_bytes({.seen = 1, .matched = std::uint64_t{1} << 40, .lost = 3});
  const std::vector<std::byte> bytes = bytes_of({.kind = CaptureRecord::Kind::gone, .body = tally});
  const auto record = host::parse_capture_record(bytes, 1);
  ASSERT_TRUE(record && *record);
  const host::CaptureTally read = host::tally_of(**record);
  EXPECT_EQ(read.seen, 1u);
  EXPECT_EQ(read.matched, std::uint64_t{1} << 40);
  EXPECT_EQ(read.lost, 3u);
}

}  // namespace
