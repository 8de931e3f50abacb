// SPDX-License-Identifier: BSD-2-Clause
// The rules of pcapng, each in both byte orders: blocks, sections, interfaces, options, damage and how it is worded.
// Expectations are those of the format draft and of libpcap's reader.
#include "netstack/capture/pcapng_parser.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/capture/file_bytes.hpp"
#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

class Pcapng : public testing::TestWithParam<std::endian> {
 protected:
  FileBytes file{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Orders, Pcapng, testing::Values(std::endian::little, std::endian::big), [](const auto& order) {
  return std::string(order.param == std::endian::little ? "little" : "big");
});

std::string text_of(const KeptFrame& frame) {
  return {reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size()};
}

TEST_P(Pcapng, reads_enhanced_packets) {
  file.section().interface().packet(0, 0x1'0000'0005, "abcde", 1514).packet(0, 7, "");
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.format, net::CaptureFormat::pcapng);
  ASSERT_EQ(whole.frames.size(), 2u);
  EXPECT_EQ(text_of(whole.frames[0]), "abcde");
  EXPECT_EQ(whole.frames[0].wire_bytes, 1514u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 0x1'0000'0005 * 1000);
  EXPECT_TRUE(whole.frames[0].has_time);
  EXPECT_TRUE(whole.frames[1].bytes.empty());
}

TEST_P(Pcapng, reads_obsolete_packets) {
  const WholeFile whole = read_whole(file.section().interface().interface(9).obsolete_packet(1, 5, "abcde"));
  ASSERT_EQ(whole.frames.size(), 1u) << whole.text();
  EXPECT_EQ(text_of(whole.frames[0]), "abcde");
  EXPECT_EQ(whole.frames[0].interface, 1u);
  EXPECT_EQ(whole.frames[0].link_type, 9u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 5'000);
}

TEST_P(Pcapng, reads_simple_packets_without_a_time) {
  const WholeFile whole = read_whole(file.section().interface().simple_packet(5, "abcde"));
  ASSERT_EQ(whole.frames.size(), 1u) << whole.text();
  EXPECT_EQ(text_of(whole.frames[0]), "abcde");
  EXPECT_FALSE(whole.frames[0].has_time);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 0);
}

TEST_P(Pcapng, cuts_simple_packets_at_the_snap_length_and_at_the_block) {
  file.section().interface(1, 3).simple_packet(5, "abcde");
  file.section().interface(1, 0).simple_packet(500, "abcdefgh");
  const WholeFile whole = read_whole(file);
  ASSERT_EQ(whole.frames.size(), 2u) << whole.text();
  EXPECT_EQ(text_of(whole.frames[0]), "abc");
  EXPECT_EQ(whole.frames[0].wire_bytes, 5u);
  EXPECT_EQ(text_of(whole.frames[1]), "abcdefgh");
  EXPECT_EQ(whole.frames[1].wire_bytes, 500u);
}

TEST_P(Pcapng, returns_enhanced_packets_above_the_snap_length_whole) {
  const WholeFile whole = read_whole(file.section().interface(1, 3).packet(0, 0, "abcde"));
  ASSERT_EQ(whole.frames.size(), 1u) << whole.text();
  EXPECT_EQ(text_of(whole.frames[0]), "abcde");
}

// if_fcslen is in bits by the draft and in bytes by its writers.
TEST_P(Pcapng, takes_the_check_sequence_off_that_the_interface_tells_of) {
  file.section();
  for (const int length : {4, 32, 0})
    file.interface(1, 0, file.empty().option(13, file.empty().u8(static_cast<std::uint8_t>(length))));
  for (std::uint32_t i = 0; i < 3; ++i) file.packet(i, 0, "abcdefFCS.");
  const WholeFile whole =
      read_whole(file.packet(0, 0, "abc", 10).obsolete_packet(0, 0, "abFCS.").simple_packet(5, "aFCS."));
  ASSERT_EQ(whole.frames.size(), 6u) << whole.text();
  const std::size_t bytes[] = {6, 6, 10, 3, 2, 1};
  const std::uint32_t wire_bytes[] = {6, 6, 10, 6, 2, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(whole.frames[i].bytes.size(), bytes[i]) << i;
    EXPECT_EQ(whole.frames[i].wire_bytes, wire_bytes[i]) << i;
  }
}

TEST_P(Pcapng, keeps_interfaces_that_differ_apart) {
  file.section();
  file.interface(1, 96, file.empty().option(2, file.empty().text("eth0")).option(0, file.empty()));
  file.packet(0, 1'000, "a").interface(127, 0, file.empty().option(9, file.empty().u8(9)));
  file.packet(1, 1'000, "b").packet(0, 1'000, "c");
  const WholeFile whole = read_whole(file);
  ASSERT_EQ(whole.frames.size(), 3u) << whole.text();
  ASSERT_EQ(whole.interfaces.size(), 2u);
  EXPECT_EQ(whole.interfaces[0].name, "eth0");
  EXPECT_EQ(whole.interfaces[0].snap_bytes, 96u);
  EXPECT_EQ(whole.interfaces[1].name, "");
  EXPECT_EQ(whole.interfaces[1].link_type, 127u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 1'000'000);
  EXPECT_EQ(whole.frames[1].timestamp_ns, 1'000);
  EXPECT_EQ(whole.frames[1].link_type, 127u);
  EXPECT_EQ(whole.frames[2].link_type, 1u);
}

TEST_P(Pcapng, numbers_the_interfaces_of_every_section_on) {
  const auto other = GetParam() == std::endian::little ? std::endian::big : std::endian::little;
  FileBytes second(other);
  second.section().interface(2).packet(0, 0, "b").simple_packet(1, "c");
  file.section().interface(1).interface(1).packet(1, 0, "a").add(second).section().interface(3).packet(0, 0, "d");
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  ASSERT_EQ(whole.frames.size(), 4u);
  const std::uint32_t interfaces[] = {1, 2, 2, 3};
  const std::uint32_t link_types[] = {1, 2, 2, 3};
  for (std::size_t i = 0; i < 4; i++) {
    EXPECT_EQ(whole.frames[i].interface, interfaces[i]) << i;
    EXPECT_EQ(whole.frames[i].link_type, link_types[i]) << i;
  }
}

TEST_P(Pcapng, forgets_the_interfaces_of_the_section_before) {
  const WholeFile whole = read_whole(file.section().interface().interface().section().interface().packet(1, 0, "a"));
  EXPECT_TRUE(whole.frames.empty());
  EXPECT_EQ(whole.text(), "packet block at byte 116: interface 1, expected one of the section's 1");
}

TEST_P(Pcapng, applies_resolution_and_offset) {
  file.section();
  FileBytes options = file.empty();
  options.option(14, file.empty().u64(static_cast<std::uint64_t>(-100))).option(9, file.empty().u8(0x80 | 10));
  const WholeFile whole = read_whole(file.interface(1, 0, options).packet(0, 102 * 1024 + 512, "a"));
  ASSERT_EQ(whole.frames.size(), 1u) << whole.text();
  EXPECT_EQ(whole.frames[0].timestamp_ns, 2'500'000'000);
}

TEST_P(Pcapng, passes_over_options_that_make_no_sense) {
  file.section();
  FileBytes wrong_lengths = file.empty();
  wrong_lengths.option(9, file.empty().u16(9)).option(14, file.empty().u32(1)).option(2, file.empty().text("x"));
  file.interface(1, 0, wrong_lengths).packet(0, 1, "a");
  file.interface(1, 0, file.empty().u16(2).u16(0xffff)).packet(1, 1, "b");
  file.interface(1, 0, file.empty().option(0, file.empty()).option(9, file.empty().u8(9))).packet(2, 1, "c");
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  ASSERT_EQ(whole.frames.size(), 3u);
  for (const KeptFrame& frame : whole.frames) EXPECT_EQ(frame.timestamp_ns, 1'000);
  EXPECT_EQ(whole.interfaces[0].name, "x");
  EXPECT_EQ(whole.interfaces[1].name, "");
}

TEST_P(Pcapng, cuts_an_endless_interface_name) {
  file.section();
  file.interface(1, 0, file.empty().option(2, file.empty().fill(60'000, 'n')));
  const WholeFile whole = read_whole(file);
  ASSERT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.interfaces.at(0).name, std::string(255, 'n'));
}

TEST_P(Pcapng, skips_unknown_blocks_of_any_size) {
  file.section().interface().block(0x0bad, file.empty()).block(5, file.empty().fill(3'000'000, 0xee));
  file.packet(0, 1, "a").block(0x80000001, file.empty().fill(4)).packet(0, 2, "b");
  for (const std::vector<std::size_t>& pieces : {std::vector<std::size_t>{}, {4096, 1, 2, 3}}) {
    const WholeFile whole = read_whole(file, pieces);
    ASSERT_FALSE(whole.error) << whole.text();
    ASSERT_EQ(whole.frames.size(), 2u);
    EXPECT_EQ(text_of(whole.frames[1]), "b");
  }
}

TEST_P(Pcapng, ignores_the_section_length) {
  const WholeFile whole = read_whole(file.section(1, 2, 8).interface().packet(0, 1, "a"));
  EXPECT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.frames.size(), 1u);
}

TEST_P(Pcapng, refuses_other_versions) {
  for (const auto& [major, minor] : {std::pair{0, 1}, {1, 1}, {1, 3}, {2, 0}}) {
    FileBytes other(GetParam());
    other.section(static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor)).interface().packet(0, 1, "a");
    const WholeFile whole = read_whole(other);
    ASSERT_TRUE(whole.error);
    EXPECT_EQ(whole.error->code, std::errc::not_supported);
    EXPECT_EQ(whole.text(), "pcapng version " + std::to_string(major) + "." + std::to_string(minor) +
                                " at byte 12: 1.0 and 1.2 are understood");
  }
}

TEST_P(Pcapng, delivers_what_came_before_a_section_it_does_not_understand) {
  const WholeFile whole = read_whole(file.section().interface().packet(0, 1, "a").section(9));
  EXPECT_EQ(whole.frames.size(), 1u);
  EXPECT_EQ(whole.text(), "pcapng version 9.0 at byte 96: 1.0 and 1.2 are understood");
}

TEST_P(Pcapng, refuses_packets_before_their_interface) {
  EXPECT_EQ(read_whole(FileBytes(GetParam()).section().packet(0, 1, "a")).text(),
            "packet block at byte 28: interface 0, expected one of the section's 0");
  EXPECT_EQ(read_whole(FileBytes(GetParam()).section().simple_packet(1, "a")).text(),
            "simple packet block at byte 28: no interface described before it in its section");
  EXPECT_EQ(read_whole(FileBytes(GetParam()).section().interface().obsolete_packet(1, 1, "a")).text(),
            "packet block at byte 48: interface 1, expected one of the section's 1");
}

TEST_P(Pcapng, refuses_captured_lengths_beyond_the_block) {
  file.section().interface();
  file.block(6, file.empty().u32(0).u32(0).u32(0).u32(9).u32(9).text("12345678"));
  EXPECT_EQ(read_whole(file).text(), "packet block at byte 48: captured length 9, expected at most 8");
}

TEST_P(Pcapng, refuses_frames_above_the_largest) {
  const std::string data(net::kCaptureFrameBytesMax + 1, 'x');
  EXPECT_EQ(read_whole(FileBytes(GetParam()).section().interface().packet(0, 0, data)).text(),
            "packet block at byte 48: captured length 262145, expected at most 262144");
  EXPECT_EQ(read_whole(FileBytes(GetParam()).section().interface().simple_packet(262145, data)).text(),
            "simple packet block at byte 48: captured length 262145, expected at most 262144");
}

TEST_P(Pcapng, takes_the_largest_frame_with_options_behind_it) {
  const std::string data(net::kCaptureFrameBytesMax, 'x');
  file.section().interface();
  FileBytes body = file.empty().u32(0).u32(0).u32(1).u32(262144).u32(262144).text(data);
  for (int i = 0; i < 7; i++) body.option(1, file.empty().fill(65'000, 'c'));
  const WholeFile whole = read_whole(file.block(6, body));
  ASSERT_EQ(whole.frames.size(), 1u) << whole.text();
  EXPECT_EQ(whole.frames[0].bytes.size(), net::kCaptureFrameBytesMax);
}

TEST_P(Pcapng, refuses_packet_blocks_above_its_buffer_at_once) {
  file.section().interface().u32(6).u32(0xfffffffc).fill(4);
  EXPECT_EQ(read_whole(file).text(),
            "block header at byte 48: block of type 6 claims 4294967292 bytes, expected at most 786432");
}

TEST_P(Pcapng, refuses_wrong_block_lengths) {
  const auto text_with = [](std::uint32_t type, std::uint32_t length) {
    return read_whole(FileBytes(GetParam()).section().interface().u32(type).u32(length).fill(64)).text();
  };
  EXPECT_EQ(text_with(0x77, 8), "block header at byte 48: block length 8, expected a multiple of 4 from 12");
  EXPECT_EQ(text_with(0x77, 18), "block header at byte 48: block length 18, expected a multiple of 4 from 12");
  EXPECT_EQ(text_with(6, 28), "block header at byte 48: block length 28, expected a multiple of 4 from 32");
  EXPECT_EQ(text_with(2, 28), "block header at byte 48: block length 28, expected a multiple of 4 from 32");
  EXPECT_EQ(text_with(3, 12), "block header at byte 48: block length 12, expected a multiple of 4 from 16");
  EXPECT_EQ(text_with(1, 16), "block header at byte 48: block length 16, expected a multiple of 4 from 20");
}

TEST_P(Pcapng, refuses_a_trailer_that_differs) {
  file.section().interface().packet(0, 1, "a");
  FileBytes known = file, unknown = file;
  known.u32(1).u32(20).u16(1).u16(0).u32(0).u32(24);
  unknown.u32(0x77).u32(12).u32(16);
  for (const auto& [damaged, text] :
       {std::pair{known, "block trailer at byte 100: length 24, expected 20 as in the block's header"},
        {unknown, "block trailer at byte 92: length 16, expected 12 as in the block's header"}}) {
    const WholeFile whole = read_whole(damaged);
    EXPECT_EQ(whole.frames.size(), 1u);
    EXPECT_EQ(whole.text(), text);
  }
}

TEST_P(Pcapng, refuses_a_section_without_byte_order) {
  const WholeFile whole = read_whole(file.block(0x0a0d0d0a, file.empty().u32(0x12345678).fill(12)));
  EXPECT_EQ(whole.text(), "section header at byte 0: no byte order magic 1a2b3c4d in either order");
}

TEST_P(Pcapng, refuses_more_interfaces_than_it_can_remember) {
  file.section();
  for (std::size_t i = 0; i <= net::kCaptureInterfacesMax; i++) file.interface();
  const WholeFile whole = read_whole(file);
  EXPECT_EQ(whole.text(), "interface block at byte 1310748: one interface more than the 65536 a file may have");
}

TEST_P(Pcapng, names_every_cut_by_its_place) {
  file.section().interface().packet(0, 1, "abcd").block(5, file.empty().fill(4));
  const auto text_at = [&](std::size_t bytes) {
    FileBytes cut = file;
    cut.cut(bytes);
    return read_whole(cut).text();
  };
  EXPECT_EQ(text_at(7), "block header cut short at byte 0: 7 of 12 bytes present");
  EXPECT_EQ(text_at(15), "section header cut short at byte 0: 15 of 28 bytes present");
  EXPECT_EQ(text_at(26), "block cut short at byte 0: 26 of 28 bytes present");
  EXPECT_EQ(text_at(28), "");
  EXPECT_EQ(text_at(31), "block header cut short at byte 28: 3 of 12 bytes present");
  EXPECT_EQ(text_at(47), "block cut short at byte 28: 19 of 20 bytes present");
  EXPECT_EQ(text_at(83), "block cut short at byte 48: 35 of 36 bytes present");
  EXPECT_EQ(text_at(84), "");
  EXPECT_EQ(text_at(96), "block cut short at byte 84: 12 of 16 bytes present");
  EXPECT_EQ(text_at(100), "");
}

}  // namespace
}  // namespace vif::test
