// SPDX-License-Identifier: BSD-2-Clause
// How CaptureWriter behaves: exact bytes of both formats, round trips, what a format cannot say, what it refuses, and
// what a full disk leaves behind.
#include "netstack/capture/capture_writer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/netstack/capture/file_bytes.hpp"
#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

using net::CaptureFormat;
using net::CaptureWriter;
using net::kLinkTypeEthernet;

KeptFrame frame_of(std::string_view data, std::int64_t timestamp_ns, std::uint32_t interface = 0) {
  const Bytes bytes = as_bytes(data);
  return {{bytes.begin(), bytes.end()}, static_cast<std::uint32_t>(data.size()), 1, interface, timestamp_ns, true};
}

void expect_file(const MemorySink& sink, const FileBytes& expected) {
  const Bytes bytes = expected;
  EXPECT_EQ(sink.file(), std::vector(bytes.begin(), bytes.end()));
}

TEST(Writer, writes_nanosecond_pcap) {
  MemorySink sink;
  CaptureWriter writer(sink, CaptureFormat::pcap);
  EXPECT_EQ(writer.add_interface("tap0", kLinkTypeEthernet).value(), 0u);
  KeptFrame frame = frame_of("abc", 5'000'000'006);
  frame.wire_bytes = 60;
  EXPECT_TRUE(writer.write(frame.view()));
  EXPECT_TRUE(writer.flush());
  FileBytes expected;
  expected.u32(0xa1b23c4d).u16(2).u16(4).u32(0).u32(0).u32(262144).u32(1);
  expect_file(sink, expected.u32(5).u32(6).u32(3).u32(60).text("abc"));
}

TEST(Writer, writes_pcapng) {
  MemorySink sink;
  CaptureWriter writer(sink, CaptureFormat::pcapng);
  EXPECT_EQ(writer.add_interface("tap0", kLinkTypeEthernet).value(), 0u);
  EXPECT_TRUE(writer.write(frame_of("abc", 0x1'0000'0006).view()));
  EXPECT_EQ(writer.add_interface("", 127).value(), 1u);
  KeptFrame timeless = frame_of("defgh", 0);
  timeless.has_time = false;
  EXPECT_TRUE(writer.write(timeless.view()));
  EXPECT_TRUE(writer.flush());

  FileBytes expected;
  FileBytes body = expected.empty();
  body.u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0});
  expected.block(0x0a0d0d0a, body.option(4, body.empty().text("virtif")).option(0, body.empty()));
  FileBytes options = expected.empty();
  options.option(2, options.empty().text("tap0")).option(9, options.empty().u8(9)).option(0, options.empty());
  expected.interface(1, 262144, options).packet(0, 0x1'0000'0006, "abc");
  options = expected.empty();
  expected.interface(127, 262144, options.option(9, options.empty().u8(9)).option(0, options.empty()));
  expect_file(sink, expected.simple_packet(5, "defgh"));
}

TEST(Writer, says_in_pcapng_what_came_from_where_and_what_of_it) {
  MemorySink sink;
  CaptureWriter writer(sink, CaptureFormat::pcapng);
  const auto added = writer.add_interface({.name = "virt0",
                                           .snap_bytes = 96,
                                           .comment = "linkstr mem:lan",
                                           .filter = "arp",
                                           .address = net::MacAddress{{2, 0, 0, 0, 0, 9}}});
  EXPECT_EQ(added.value(), 0u);
  using Direction = net::CaptureMarks::Direction;
  EXPECT_TRUE(writer.write(frame_of("abc", 6).view(), {.direction = Direction::in}));
  EXPECT_TRUE(writer.write(frame_of("abcde", 7).view(), {.direction = Direction::out, .lost = 3}));
  EXPECT_TRUE(writer.write(
      0, {.begun_ns = 5, .ended_ns = 0x1'0000'0008, .seen = 9, .matched = 5, .dropped = 3, .delivered = 2}));
  EXPECT_TRUE(writer.flush());
  EXPECT_EQ(writer.bytes(), sink.file().size());

  FileBytes expected;
  FileBytes body = expected.empty();
  body.u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0});
  expected.block(0x0a0d0d0a, body.option(4, body.empty().text("virtif")).option(0, body.empty()));
  FileBytes options = expected.empty();
  options.option(1, options.empty().text("linkstr mem:lan")).option(2, options.empty().text("virt0"));
  options.option(6, options.empty().u8(2).fill(4).u8(9)).option(9, options.empty().u8(9));
  options.option(11, options.empty().u8(0).text("arp")).option(0, options.empty());
  expected.interface(1, 96, options);
  FileBytes in = expected.empty(), out = expected.empty(), end = expected.empty();
  in.u32(0).u32(0).u32(6).u32(3).u32(3).text("abc").pad4();
  expected.block(6, in.option(2, in.empty().u32(1)).option(0, in.empty()));
  out.u32(0).u32(0).u32(7).u32(5).u32(5).text("abcde").pad4();
  out.option(2, out.empty().u32(2)).option(4, out.empty().u64(3)).option(0, out.empty());
  expected.block(6, out);
  end.u32(0).u32(1).u32(8);
  end.option(2, end.empty().u32(0).u32(5)).option(3, end.empty().u32(1).u32(8)).option(4, end.empty().u64(9));
  end.option(5, end.empty().u64(3)).option(6, end.empty().u64(5)).option(8, end.empty().u64(2));
  expect_file(sink, expected.block(5, end.option(0, end.empty())));
}

TEST(Writer, leaves_out_in_pcap_what_that_cannot_say) {
  MemorySink plain_sink, sink;
  CaptureWriter plain(plain_sink, CaptureFormat::pcap), writer(sink, CaptureFormat::pcap);
  ASSERT_TRUE(plain.add_interface("virt0", kLinkTypeEthernet));
  ASSERT_TRUE(writer.add_interface({.name = "virt0", .comment = "linkstr mem:lan", .filter = "arp"}));
  ASSERT_TRUE(plain.write(frame_of("abc", 6).view()));
  ASSERT_TRUE(writer.write(frame_of("abc", 6).view(), {.direction = net::CaptureMarks::Direction::in, .lost = 3}));
  ASSERT_TRUE(writer.write(0, {.seen = 9}));
  EXPECT_EQ(writer.write(1, {}).error().code, std::errc::invalid_argument);
  ASSERT_TRUE(plain.flush() && writer.flush());
  EXPECT_EQ(sink.file(), plain_sink.file());
}

TEST(Writer, cuts_texts_no_reader_would_take) {
  MemorySink sink;
  CaptureWriter writer(sink, CaptureFormat::pcapng);
  const std::string endless(100'000, 'x');
  ASSERT_TRUE(writer.add_interface({.name = "virt0", .comment = endless, .filter = endless}));
  ASSERT_TRUE(writer.write(frame_of("abc", 6).view(), {.lost = 1, .comment = endless}));
  ASSERT_TRUE(writer.write(frame_of("abc", 6).view()));
  ASSERT_TRUE(writer.flush());
  const WholeFile whole = read_whole(sink.file());
  EXPECT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.interfaces.at(0).name, "virt0");
  EXPECT_LT(sink.file().size(), 4 * net::CaptureDescription::kTextBytesMax);
}

class WriterOf : public testing::TestWithParam<CaptureFormat> {
 protected:
  MemorySink sink;
  CaptureWriter writer{sink, GetParam()};

  WholeFile written() {
    EXPECT_TRUE(writer.flush());
    return read_whole(sink.file());
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, WriterOf, testing::Values(CaptureFormat::pcap, CaptureFormat::pcapng),
                         [](const auto& format) {
                           return std::string(format.param == CaptureFormat::pcap ? "pcap" : "pcapng");
                         });

TEST_P(WriterOf, gives_back_what_was_written) {
  ASSERT_TRUE(writer.add_interface("tap0", kLinkTypeEthernet));
  std::vector<KeptFrame> frames;
  const std::string data(net::kCaptureFrameBytesMax, 'q');
  for (std::size_t i = 0; i < 3000; i++) {
    const std::size_t bytes = i % 500 == 0 ? data.size() : i % 1600;
    frames.push_back(frame_of(data.substr(0, bytes), static_cast<std::int64_t>(i) * 999'999'999));
    if (i % 3 == 0) frames.back().wire_bytes = static_cast<std::uint32_t>(i);
    ASSERT_TRUE(writer.write(frames.back().view()));
  }
  const WholeFile whole = written();
  EXPECT_FALSE(whole.error) << whole.text();
  EXPECT_EQ(whole.format, GetParam());
  EXPECT_EQ(whole.interfaces.at(0).name, GetParam() == CaptureFormat::pcap ? "" : "tap0");
  EXPECT_TRUE(whole.frames == frames);
  EXPECT_GT(sink.calls(), 5u);
}

TEST_P(WriterOf, clamps_times_its_format_cannot_say) {
  ASSERT_TRUE(writer.add_interface("", kLinkTypeEthernet));
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t ns : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, kLatest}) {
    ASSERT_TRUE(writer.write(frame_of("a", ns).view()));
  }
  const WholeFile whole = written();
  ASSERT_EQ(whole.frames.size(), 3u);
  EXPECT_EQ(whole.frames[0].timestamp_ns, 0);
  EXPECT_EQ(whole.frames[1].timestamp_ns, 0);
  EXPECT_EQ(whole.frames[2].timestamp_ns, GetParam() == CaptureFormat::pcap ? 4'294'967'295'999'999'999 : kLatest);
}

TEST_P(WriterOf, keeps_missing_times_where_the_format_can) {
  ASSERT_TRUE(writer.add_interface("", kLinkTypeEthernet));
  ASSERT_TRUE(writer.add_interface("", kLinkTypeEthernet));
  KeptFrame whole_frame = frame_of("abcde", 77);
  whole_frame.has_time = false;
  KeptFrame cut = whole_frame;
  cut.wire_bytes = 60;
  KeptFrame elsewhere = whole_frame;
  elsewhere.interface = 1;
  for (const KeptFrame& frame : {whole_frame, cut, elsewhere}) ASSERT_TRUE(writer.write(frame.view()));
  const WholeFile whole = written();
  ASSERT_EQ(whole.frames.size(), 3u);
  EXPECT_EQ(whole.frames[0].has_time, GetParam() == CaptureFormat::pcap);
  EXPECT_TRUE(whole.frames[1].has_time);
  EXPECT_TRUE(whole.frames[2].has_time);
  for (const KeptFrame& frame : whole.frames) EXPECT_EQ(frame.timestamp_ns, 0);
  EXPECT_EQ(whole.frames[1].wire_bytes, 60u);
}

TEST_P(WriterOf, refuses_frames_it_cannot_place_and_goes_on) {
  const KeptFrame frame = frame_of("abc", 1);
  EXPECT_EQ(writer.write(frame.view()).error().code, std::errc::invalid_argument);
  ASSERT_TRUE(writer.add_interface("", kLinkTypeEthernet));
  EXPECT_EQ(writer.write(frame_of("abc", 1, 1).view()).error().code, std::errc::invalid_argument);
  KeptFrame other = frame;
  other.link_type = 127;
  EXPECT_EQ(writer.write(other.view()).error().code, std::errc::invalid_argument);
  const KeptFrame large = frame_of(std::string(net::kCaptureFrameBytesMax + 1, 'x'), 1);
  EXPECT_EQ(writer.write(large.view()).error().code, std::errc::message_size);
  EXPECT_TRUE(writer.write(frame.view()));
  EXPECT_EQ(written().frames, std::vector{frame});
}

TEST_P(WriterOf, refuses_interfaces_the_formats_cannot_say) {
  EXPECT_EQ(writer.add_interface("", 65536).error().code, std::errc::invalid_argument);
  EXPECT_EQ(writer.add_interface(std::string(256, 'n'), 1).error().code, std::errc::filename_too_long);
  for (std::size_t i = 0; i < net::kCaptureInterfacesMax; i++) ASSERT_TRUE(writer.add_interface("", 1));
  EXPECT_EQ(writer.add_interface("", 1).error().code, std::errc::value_too_large);
  EXPECT_FALSE(written().error);
}

TEST_P(WriterOf, appends_nothing_twice_and_nothing_empty) {
  ASSERT_TRUE(writer.add_interface("", 1));
  ASSERT_TRUE(writer.flush());
  ASSERT_TRUE(writer.flush());
  EXPECT_EQ(sink.calls(), 1u);
}

TEST_P(WriterOf, leaves_a_valid_file_when_the_disk_is_full) {
  std::vector<KeptFrame> frames;
  for (std::int64_t i = 0; i < 3000; i++) frames.push_back(frame_of(std::string(600, 'x'), i));
  for (std::size_t appends = 0; appends < 5; appends++) {
    MemorySink full(appends);
    CaptureWriter doomed(full, GetParam());
    ASSERT_TRUE(doomed.add_interface("tap0", kLinkTypeEthernet));
    std::size_t taken = 0;
    while (taken < frames.size() && doomed.write(frames[taken].view())) taken++;
    ASSERT_LT(taken, frames.size());
    EXPECT_EQ(full.calls(), appends + 1);
    EXPECT_EQ(doomed.write(frames[0].view()).error().code, std::errc::no_space_on_device);
    EXPECT_EQ(doomed.flush().error().text, "the disk is full");
    EXPECT_EQ(doomed.add_interface("", kLinkTypeEthernet).error().code, std::errc::no_space_on_device);
    EXPECT_EQ(full.calls(), appends + 1);

    if (appends == 0) {
      EXPECT_TRUE(full.file().empty());
      continue;
    }
    const WholeFile whole = read_whole(full.file());
    EXPECT_FALSE(whole.error) << whole.text();
    EXPECT_GT(whole.frames.size(), 400 * appends);
    for (std::size_t i = 0; i < whole.frames.size(); i++) ASSERT_EQ(whole.frames[i], frames[i]);
  }
}

TEST(Writer, refuses_a_second_link_type_in_pcap) {
  MemorySink sink;
  CaptureWriter writer(sink, CaptureFormat::pcap);
  ASSERT_TRUE(writer.add_interface("", 1));
  EXPECT_EQ(writer.add_interface("", 1).value(), 1u);
  EXPECT_EQ(writer.add_interface("", 127).error().text,
            "pcap holds one link type, 1; write pcapng to add link type 127");
}

}  // namespace
}  // namespace vif::test
