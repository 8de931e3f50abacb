// SPDX-License-Identifier: BSD-2-Clause
// How CaptureReader behaves whatever the format: pieces and batches change nothing, whole records come before the error
// behind them, the error stays, and the buffer is never too small.
#include "netstack/capture/capture_reader.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/capture/file_bytes.hpp"
#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

// Both formats, frames of many lengths, records that straddle any piece; undamaged.
FileBytes small_file(net::CaptureFormat format) {
  FileBytes file;
  if (format == net::CaptureFormat::pcap) file.pcap_header();
  else file.section().interface(1, 64).block(0x777, file.empty().fill(40));
  for (std::uint32_t i = 0; i < 20; i++) {
    const std::string data(i * 7 % 61, static_cast<char>('a' + i));
    if (format == net::CaptureFormat::pcap) file.pcap_record(i, i, data);
    else if (i % 5 == 4) file.interface(127).simple_packet(100, data).block(5, file.empty().fill(12));
    else file.packet(i / 5, i, data);
  }
  return file;
}

// Larger than the reader's buffer, the largest frames among small ones.
FileBytes large_file(net::CaptureFormat format) {
  FileBytes file;
  if (format == net::CaptureFormat::pcap) file.pcap_header();
  else file.section().interface();
  const std::string data(net::kCaptureFrameBytesMax, 'z');
  for (std::uint32_t i = 0; i < 60; i++) {
    const std::string_view piece = std::string_view(data).substr(0, i % 7 == 0 ? data.size() - i : i * 31 % 1515);
    if (format == net::CaptureFormat::pcap) file.pcap_record(i, i, piece);
    else file.packet(0, i, piece);
  }
  return file;
}

class Reader : public testing::TestWithParam<net::CaptureFormat> {};
INSTANTIATE_TEST_SUITE_P(Formats, Reader, testing::Values(net::CaptureFormat::pcap, net::CaptureFormat::pcapng),
                         [](const auto& format) {
                           return std::string(format.param == net::CaptureFormat::pcap ? "pcap" : "pcapng");
                         });

TEST_P(Reader, gives_the_same_frames_whatever_the_pieces) {
  const FileBytes file = small_file(GetParam());
  const WholeFile reference = read_whole(file);
  ASSERT_FALSE(reference.error) << reference.text();
  ASSERT_EQ(reference.frames.size(), 20u);
  for (std::size_t piece = 1; piece <= 64; piece++) {
    const WholeFile whole = read_whole(file, {piece, piece * 5 % 13 + 1});
    EXPECT_FALSE(whole.error) << piece << whole.text();
    EXPECT_EQ(whole.frames, reference.frames) << piece;
  }
}

TEST_P(Reader, goes_on_where_it_was_when_there_was_nothing_yet) {
  const FileBytes file = small_file(GetParam());
  const WholeFile reference = read_whole(file);
  for (std::size_t piece = 1; piece <= 64; piece++) {
    const WholeFile whole = read_whole(file, {200, 0, piece, 0, 0});
    EXPECT_FALSE(whole.error) << piece << whole.text();
    EXPECT_EQ(whole.frames, reference.frames) << piece;
  }
}

TEST_P(Reader, gives_the_same_frames_whatever_the_batch) {
  const FileBytes file = small_file(GetParam());
  const WholeFile reference = read_whole(file);
  for (const std::size_t batch : {1u, 2u, 3u, 19u, 20u, 21u, 500u}) {
    EXPECT_EQ(read_whole(file, {}, batch).frames, reference.frames) << batch;
  }
}

TEST_P(Reader, reads_files_larger_than_its_buffer) {
  const FileBytes file = large_file(GetParam());
  const WholeFile reference = read_whole(file);
  ASSERT_FALSE(reference.error) << reference.text();
  ASSERT_EQ(reference.frames.size(), 60u);
  for (std::uint32_t i = 0; i < 60; i++) {
    EXPECT_EQ(reference.frames[i].bytes.size(), i % 7 == 0 ? net::kCaptureFrameBytesMax - i : i * 31 % 1515);
  }
  for (const std::size_t piece : {4093u, 65536u, 262143u}) {
    EXPECT_EQ(read_whole(file, {piece}, 1).frames, reference.frames) << piece;
  }
}

TEST_P(Reader, delivers_every_whole_record_before_a_cut) {
  const FileBytes file = small_file(GetParam());
  const WholeFile reference = read_whole(file);
  std::size_t frames_before = 0;
  for (std::size_t bytes = 0; bytes < file.size(); bytes++) {
    FileBytes cut = file;
    cut.cut(bytes);
    const WholeFile whole = read_whole(cut);
    ASSERT_GE(whole.frames.size(), frames_before) << bytes;
    ASSERT_LE(whole.frames.size(), frames_before + 1) << bytes;
    for (std::size_t i = 0; i < whole.frames.size(); i++) ASSERT_EQ(whole.frames[i], reference.frames[i]);
    if (whole.error) {
      EXPECT_TRUE(whole.error->code == std::errc::bad_message || bytes < 4) << whole.text();
    }
    frames_before = whole.frames.size();
  }
}

TEST_P(Reader, tells_a_source_error_after_the_frames_before_it) {
  const FileBytes file = small_file(GetParam());
  for (std::size_t fail_at = 0; fail_at <= file.size(); fail_at++) {
    FileBytes cut = file;
    cut.cut(fail_at);
    const WholeFile expected = read_whole(cut);
    MemorySource source(file, {}, fail_at);
    const WholeFile whole = read_whole(source);
    ASSERT_TRUE(whole.error) << fail_at;
    EXPECT_EQ(whole.error->code, std::errc::io_error) << fail_at;
    EXPECT_EQ(whole.text(), "reading at byte " + std::to_string(fail_at) + ": the disk is gone");
    EXPECT_EQ(whole.frames, expected.frames) << fail_at;
  }
}

TEST_P(Reader, repeats_its_error) {
  FileBytes file = small_file(GetParam());
  file.u8(0);
  MemorySource source(file);
  Result<net::CaptureReader> reader = net::CaptureReader::open(source);
  ASSERT_TRUE(reader);
  std::vector<net::CaptureFrame> frames(100);
  EXPECT_EQ(reader->read(frames).value(), 20u);
  const Result<std::size_t> first = reader->read(frames);
  const Result<std::size_t> second = reader->read(frames);
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error().code, std::errc::bad_message);
  EXPECT_EQ(first.error().text, second.error().text);
}

TEST_P(Reader, repeats_the_end) {
  const FileBytes file = small_file(GetParam());
  MemorySource source(file, {}, file.size() + 1);
  Result<net::CaptureReader> reader = net::CaptureReader::open(source);
  ASSERT_TRUE(reader);
  std::vector<net::CaptureFrame> frames(100);
  EXPECT_EQ(reader->read(frames).value(), 20u);
  EXPECT_EQ(reader->read(frames).value(), 0u);
  EXPECT_EQ(reader->read(frames).value(), 0u);
}

TEST_P(Reader, keeps_frames_in_place_when_it_is_moved) {
  const FileBytes file = small_file(GetParam());
  MemorySource source(file);
  Result<net::CaptureReader> opened = net::CaptureReader::open(source);
  ASSERT_TRUE(opened);
  std::vector<net::CaptureFrame> frames(2);
  EXPECT_EQ(opened->read(frames).value(), 2u);
  net::CaptureReader reader = std::move(*opened);
  EXPECT_EQ(frames[1].bytes[0], std::byte{'b'});
  EXPECT_EQ(reader.read(frames).value(), 2u);
  EXPECT_EQ(frames[0].bytes[0], std::byte{'c'});
}

TEST(Reader, knows_the_interfaces_before_the_first_frame) {
  FileBytes file;
  file.section().interface(1).block(0x777, file.empty().fill(500'000)).interface(127).packet(1, 0, "a").interface(9);
  MemorySource source(file, {1000});
  Result<net::CaptureReader> reader = net::CaptureReader::open(source);
  ASSERT_TRUE(reader);
  ASSERT_EQ(reader->interfaces().size(), 2u);
  EXPECT_EQ(reader->interfaces()[1].link_type, 127u);
}

TEST(Reader, says_what_it_understands) {
  const std::string formats =
      ": expected pcap (magic a1b2c3d4, a1b23c4d or a1b2cd34 in either byte order) or pcapng (0a0d0d0a)";
  const auto expect = [&](const FileBytes& file, const std::string& text) {
    const WholeFile whole = read_whole(file);
    ASSERT_TRUE(whole.error);
    EXPECT_EQ(whole.error->code, std::errc::invalid_argument);
    EXPECT_EQ(whole.text(), text + formats);
  };
  expect(FileBytes(), "the file is empty");
  expect(FileBytes().u8(0xd4).u8(0xc3), "not a capture file, it begins with d4c3");
  expect(FileBytes().text("\x7f"
                          "ELF and so on"),
         "not a capture file, it begins with 7f454c46");
}

}  // namespace
}  // namespace vif::test
