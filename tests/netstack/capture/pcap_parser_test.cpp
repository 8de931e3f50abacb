// SPDX-License-Identifier: BSD-2-Clause
// The rules of classic pcap, each in both byte orders: magics, versions, lengths, damage and how it is worded.
// Expectations are those of the format draft and of libpcap's reader.
#include "netstack/capture/pcap_parser.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/capture/file_bytes.hpp"
#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

constexpr std::uint32_t kMagicUs = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNs = 0xa1b23c4d;
constexpr std::uint32_t kMagicModified = 0xa1b2cd34;

class Pcap : public testing::TestWithParam<std::endian> {
 protected:
  FileBytes file{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Orders, Pcap, testing::Values(std::endian::little, std::endian::big), [](const auto& order) {
  return std::string(order.param == std::endian::little ? "little" : "big");
});

TEST_P(Pcap, reads_microseconds) {
  const WholeFile whole = read_whole(file.pcap_header().pcap_record(5, 6, "abc", 60).pcap_record(4'000'000'000, 7, ""));
  ASSERT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.format, net::CaptureFormat::pcap);
  ASSERT_EQ(whole.frames.size(), 2u);
  EXPECT_EQ(whole.frames[0],
            (KeptFrame{{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}}, 60, 1, 0, 5'000'006'000, true}));
  EXPECT_EQ(whole.frames[1], (KeptFrame{{}, 0, 1, 0, 4'000'000'000'000'007'000, true}));
}

TEST_P(Pcap, reads_nanoseconds) {
  const WholeFile whole = read_whole(file.pcap_header(kMagicNs).pcap_record(5, 6, "abc"));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 5'000'000'006);
}

TEST_P(Pcap, skips_the_eight_more_bytes_of_the_modified_format) {
  file.pcap_header(kMagicModified);
  for (const std::string_view data : {"first", "second"}) {
    const auto captured = static_cast<std::uint32_t>(data.size());
    file.u32(1).u32(2).u32(captured).u32(captured).u32(3).u16(0x0800).u8(4).u8(0).text(data);
  }
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  ASSERT_EQ(whole.frames.size(), 2u);
  EXPECT_EQ(whole.frames[1].bytes.size(), 6u);
  EXPECT_EQ(whole.frames[1].bytes[0], std::byte{'s'});
  EXPECT_EQ(whole.frames[1].timestamp_ns, 1'000'002'000);
}

TEST_P(Pcap, swaps_the_lengths_before_version_2_3) {
  const WholeFile whole = read_whole(file.pcap_header(kMagicUs, 1, 2).u32(1).u32(0).u32(9).u32(3).text("abc"));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].bytes.size(), 3u);
  EXPECT_EQ(whole.frames[0].wire_bytes, 9u);
}

TEST_P(Pcap, swaps_the_lengths_of_version_2_3_only_where_captured_exceeds_wire) {
  file.pcap_header(kMagicUs, 1, 3).u32(1).u32(0).u32(9).u32(3).text("abc").u32(1).u32(0).u32(3).u32(9).text("def");
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  ASSERT_EQ(whole.frames.size(), 2u);
  for (const KeptFrame& frame : whole.frames) {
    EXPECT_EQ(frame.bytes.size(), 3u);
    EXPECT_EQ(frame.wire_bytes, 9u);
  }
}

TEST_P(Pcap, keeps_contradictory_lengths_of_version_2_4) {
  const WholeFile whole = read_whole(file.pcap_header().pcap_record(1, 0, "abcdef", 2));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].bytes.size(), 6u);
  EXPECT_EQ(whole.frames[0].wire_bytes, 2u);
}

TEST_P(Pcap, reads_the_version_of_dgux) {
  const WholeFile whole = read_whole(file.pcap_header(kMagicUs, 1, 0, 543).u32(1).u32(0).u32(9).u32(3).text("abc"));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].wire_bytes, 9u);
}

TEST_P(Pcap, refuses_other_versions) {
  for (const auto& [major, minor] : {std::pair{1, 4}, {2, 5}, {3, 0}, {543, 1}}) {
    FileBytes other(GetParam());
    other.pcap_header(kMagicUs, 1, static_cast<std::uint16_t>(minor), static_cast<std::uint16_t>(major));
    const WholeFile whole = read_whole(other.pcap_record(1, 0, "abc"));
    ASSERT_TRUE(whole.error) << major << "." << minor;
    EXPECT_EQ(whole.error->code, std::errc::not_supported);
    EXPECT_NE(whole.text().find(std::to_string(major) + "." + std::to_string(minor)), std::string::npos)
        << whole.text();
  }
}

TEST_P(Pcap, takes_the_check_sequence_off_that_the_link_type_tells_of) {
  file.pcap_header(kMagicUs, 0x2400'0000u | 127);
  file.pcap_record(1, 0, "abcdefFCS.").pcap_record(1, 0, "abcdefFC", 10).pcap_record(1, 0, "abc", 10);
  const WholeFile whole = read_whole(file.pcap_record(1, 0, "FCS"));
  ASSERT_EQ(whole.frames.size(), 4u);
  EXPECT_EQ(whole.frames[0].link_type, 127u);
  EXPECT_EQ(whole.interfaces.at(0).link_type, 127u);
  EXPECT_EQ(whole.interfaces.at(0).snap_bytes, 65535u);
  EXPECT_EQ(whole.interfaces.at(0).fcs_bytes, 4u);
  const std::size_t bytes[] = {6, 6, 3, 0};
  const std::uint32_t wire_bytes[] = {6, 6, 6, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(whole.frames[i].bytes.size(), bytes[i]) << i;
    EXPECT_EQ(whole.frames[i].wire_bytes, wire_bytes[i]) << i;
  }
}

TEST_P(Pcap, takes_nothing_off_without_the_bit_that_says_so) {
  const WholeFile whole = read_whole(file.pcap_header(kMagicUs, 0x2000'0000u | 1).pcap_record(1, 0, "abcdefFCS."));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].bytes.size(), 10u);
}

TEST_P(Pcap, returns_frames_above_the_snap_length_whole) {
  const std::string data(200'000, 'x');
  const WholeFile whole = read_whole(file.pcap_header().pcap_record(1, 0, data));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].bytes.size(), 200'000u);
}

TEST_P(Pcap, takes_the_largest_frame_and_no_larger_one) {
  const std::string data(net::kCaptureFrameBytesMax, 'x');
  file.pcap_header().pcap_record(1, 0, data).u32(0).u32(0).u32(net::kCaptureFrameBytesMax + 1).u32(0).text(data);
  const WholeFile whole = read_whole(file);
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].bytes.size(), net::kCaptureFrameBytesMax);
  EXPECT_EQ(whole.text(), "record header at byte 262184: captured length 262145, expected at most 262144");
  EXPECT_EQ(whole.error->code, std::errc::bad_message);
}

TEST_P(Pcap, survives_the_largest_numbers) {
  const WholeFile whole = read_whole(file.pcap_header().u32(~0u).u32(~0u).u32(0).u32(~0u));
  ASSERT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 4'294'967'295'000'000'000 + 4'294'967'295'000);
  EXPECT_EQ(whole.frames[0].wire_bytes, ~0u);
}

TEST_P(Pcap, names_data_cut_short) {
  file.pcap_header().pcap_record(1, 0, "abc").pcap_record(2, 0, "0123456789");
  file.cut(file.size() - 6);
  const WholeFile whole = read_whole(file);
  EXPECT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.text(), "record data cut short at byte 43: 4 of 10 bytes present");
}

TEST_P(Pcap, names_a_record_header_cut_short) {
  file.pcap_header().pcap_record(1, 0, "abc").u8(0);
  const WholeFile whole = read_whole(file);
  EXPECT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.text(), "record header cut short at byte 43: 1 of 16 bytes present");
}

TEST_P(Pcap, names_a_file_header_cut_short) {
  file.pcap_header().cut(23);
  EXPECT_EQ(read_whole(file).text(), "pcap file header cut short at byte 0: 23 of 24 bytes present");
}

TEST_P(Pcap, reads_a_file_without_frames) {
  const WholeFile whole = read_whole(file.pcap_header());
  EXPECT_FALSE(whole.error) << whole.text();
  EXPECT_TRUE(whole.frames.empty());
  EXPECT_EQ(whole.interfaces.size(), 1u);
}

}  // namespace
}  // namespace vif::test
