// SPDX-License-Identifier: BSD-2-Clause
// Capture files as a wire to read from: what arrives, how it ends, and every way a file can fail.
#include <gtest/gtest.h>

#include "tests/hypercall/sim_instance.hpp"
#include "tests/netstack/capture/file_bytes.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::sim::SimFile;

class PcapRead : public SimInstance {
 protected:
  // The first `count` of `frames` came, and nothing else.
  void expect_first(std::size_t count, const std::vector<Frame>& frames) {
    ASSERT_EQ(collected.packets.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(collected.packets[i].bytes, frames[i]) << i;
  }
};

TEST_F(PcapRead, delivers_frames_with_their_recorded_times_and_ends_with_the_carrier_down) {
  for (const char* name : {"a.pcap", "a.pcapng"}) {
    const auto frames = different_frames(100);
    capture(name, frames);
    net::Ifnet& ifp = running(std::string("pcap:") + name);
    EXPECT_EQ(ifp.link_state(), net::LinkState::up);
    host.settle();
    expect_first(100, frames);
    EXPECT_EQ(collected.packets[0].header.timestamp_ns, 1'000'001'000);
    EXPECT_EQ(collected.packets[99].header.timestamp_ns, 1'000'100'000);
    EXPECT_EQ(ifp.link_state(), net::LinkState::down);
    EXPECT_EQ(link_error(), "");
    collected.packets.clear();
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

TEST_F(PcapRead, says_how_long_a_cut_frame_was) {
  const FileBytes file = FileBytes().pcap_header().pcap_record(1, 0, std::string(60, 'x'), 1514);
  const Bytes bytes = file;
  files.file("cut.pcap").bytes.assign(bytes.begin(), bytes.end());
  running("pcap:cut.pcap");
  host.settle();
  ASSERT_EQ(collected.packets.size(), 1U);
  EXPECT_EQ(collected.packets[0].header.len, 60U);
  EXPECT_EQ(collected.packets[0].header.wire_len, 1514U);
}

TEST_F(PcapRead, counts_frames_of_other_link_types) {
  FileBytes file = FileBytes().section().interface(1).interface(105).interface(113);
  for (std::uint32_t i = 0; i < 90; ++i) file.packet(i % 3, i, std::string(60, 'x'));
  const Bytes bytes = file;
  files.file("mixed.pcapng").bytes.assign(bytes.begin(), bytes.end());
  net::Ifnet& ifp = running("pcap:mixed.pcapng");
  host.settle();
  EXPECT_EQ(collected.packets.size(), 30U);
  EXPECT_EQ(ifp.counters.read().dropped(DropReason::other_linktype), 60U);
  EXPECT_EQ(ifp.counters.read().received(), 90U);
}

TEST_F(PcapRead, goes_on_where_it_was_stopped) {
  const auto frames = different_frames(200);
  capture("a.pcap", frames);
  net::Ifnet& ifp = running("pcap:a.pcap");
  domain.poll({}, 64);
  ASSERT_EQ(collected.packets.size(), 64U);
  ASSERT_TRUE(down(ifp));
  ASSERT_TRUE(up(ifp));
  host.settle();
  expect_first(200, frames);
}

// --- faults ---

TEST_F(PcapRead, refuses_to_link_what_it_cannot_open) {
  net::Ifnet& ifp = **interfaces.create("virt0");
  files.file("empty.pcap");
  files.file("text.pcap").bytes = hex("48656c6c6f2c20776f726c64");
  files.file("closed.pcap").open_errno = EACCES;
  files.file("folder").open_errno = EISDIR;
  capture("broken.pcap", different_frames(1)).read_fails_at = 0;
  capture("short.pcap", {}).bytes.resize(10);
  const struct {
    const char* name;
    int error;
  } kCases[] = {{"absent.pcap", ENOENT}, {"empty.pcap", EINVAL}, {"text.pcap", EINVAL},  {"closed.pcap", EACCES},
                {"folder", EISDIR},      {"broken.pcap", EIO},   {"short.pcap", EBADMSG}};
  for (const auto& bad : kCases) {
    const Status linked = ifp.ioctl(net::SetLinkstr{std::string("pcap:") + bad.name});
    ASSERT_FALSE(linked) << bad.name;
    EXPECT_EQ(linked.error().number(), bad.error) << linked.error().text;
    EXPECT_NE(linked.error().text.find(bad.name), std::string::npos) << linked.error().text;
  }
  capture("good.pcap", {});
  EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{"pcap:good.pcap"})) << "nothing has changed";
}

// At whatever byte reading fails: all whole frames before it came, and the reason is known.
TEST_F(PcapRead, delivers_what_lies_before_a_read_error) {
  const auto frames = different_frames(6);
  const std::size_t size = capture("a.pcap", frames).bytes.size();
  constexpr std::size_t kFileHeader = 24, kRecordHeader = 16;
  for (std::size_t at = kFileHeader; at <= size; at += 5) {
    files.file("a.pcap").read_fails_at = at;
    net::Ifnet& ifp = running("pcap:a.pcap");
    host.settle();
    std::size_t whole = 0, end = kFileHeader;
    while (whole < frames.size() && (end += kRecordHeader + frames[whole].size()) <= at) ++whole;
    expect_first(whole, frames);
    EXPECT_EQ(ifp.link_state(), net::LinkState::down);
    EXPECT_NE(link_error().find("byte " + std::to_string(at)), std::string::npos) << link_error();
    EXPECT_NE(link_error().find("a.pcap"), std::string::npos) << link_error();
    collected.packets.clear();
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

TEST_F(PcapRead, delivers_what_lies_before_damage) {
  const auto frames = different_frames(100);
  SimFile& file = capture("a.pcap", frames);
  file.bytes.resize(file.bytes.size() - 1);
  net::Ifnet& ifp = running("pcap:a.pcap");
  host.settle();
  expect_first(99, frames);
  EXPECT_EQ(ifp.link_state(), net::LinkState::down);
  EXPECT_NE(link_error(), "");
  // It stays so, and says so again.
  ASSERT_TRUE(down(ifp));
  ASSERT_TRUE(up(ifp));
  host.settle();
  expect_first(99, frames);
  EXPECT_EQ(ifp.link_state(), net::LinkState::down);
}

TEST_F(PcapRead, survives_a_file_that_is_cut_while_it_is_read) {
  const auto frames = different_frames(10'000);
  SimFile& file = capture("a.pcap", frames);
  int reads = 0;
  file.on_read = [&](SimFile& f) {
    if (++reads == 3) f.bytes.resize(300'000);
  };
  running("pcap:a.pcap");
  host.settle();
  EXPECT_GT(collected.packets.size(), 1000U);
  expect_first(collected.packets.size(), frames);
  EXPECT_NE(link_error(), "") << "it ends within a frame";
}

TEST_F(PcapRead, reads_what_a_file_has_grown_by) {
  const auto frames = different_frames(10'000);
  const std::vector<std::byte> whole = capture("a.pcap", frames).bytes;
  SimFile& file = files.file("a.pcap");
  file.bytes.resize(1000);
  file.on_read = [&](SimFile& f) {
    const std::size_t more = std::min(whole.size(), f.bytes.size() + 3333);
    f.bytes.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(more));
  };
  running("pcap:a.pcap");
  host.settle();
  expect_first(10'000, frames);
  EXPECT_EQ(link_error(), "");
}

TEST_F(PcapRead, does_not_care_how_little_a_read_gives) {
  const auto frames = different_frames(50);
  for (const std::size_t bytes : {1UL, 2UL, 7UL, 61UL}) {
    capture("a.pcapng", frames).read_bytes_max = bytes;
    running("pcap:a.pcapng");
    host.settle();
    expect_first(50, frames);
    collected.packets.clear();
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

}  // namespace
