// SPDX-License-Identifier: BSD-2-Clause
// What a kernel puts down in memory, and what it never should: every frame of a block is read or counted, none beyond.
#include "hypercall/uring/packet_frame.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>

#include <functional>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::BlockReader;

constexpr std::size_t kFrameAt = 96;

template <class T>
void put(Frame& into, std::size_t at, const T& value) {
  std::memcpy(&into.at(at), &value, sizeof value);
}

// A TPACKET_V3 block of these frames, each in a slot of 256 bytes.
Frame block_of(const std::vector<Frame>& frames) {
  Frame block(4096);
  tpacket_block_desc description{};
  description.hdr.bh1.num_pkts = static_cast<std::uint32_t>(frames.size());
  description.hdr.bh1.offset_to_first_pkt = 64;
  put(block, 0, description);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    tpacket3_hdr header{};
    header.tp_next_offset = i + 1 < frames.size() ? 256 : 0;
    header.tp_mac = kFrameAt;
    header.tp_len = header.tp_snaplen = static_cast<std::uint32_t>(frames[i].size());
    header.tp_sec = 7;
    header.tp_nsec = static_cast<std::uint32_t>(i);
    put(block, 64 + i * 256, header);
    std::copy(frames[i].begin(), frames[i].end(), block.begin() + static_cast<long>(64 + i * 256 + kFrameAt));
  }
  return block;
}
template <class Change>
void change_header(Frame& block, std::size_t frame, Change change) {
  tpacket3_hdr header;
  std::memcpy(&header, &block.at(64 + frame * 256), sizeof header);
  change(header);
  put(block, 64 + frame * 256, header);
}

struct Read {
  std::vector<Frame> frames;
  std::uint64_t lost = 0;
};
Read read_all(Frame& block, std::size_t at_once) {
  BlockReader reader(block, false);
  Read read;
  std::vector<drv::RxFrame> burst(at_once);
  while (!reader.done()) {
    const std::size_t n = reader.read(burst, read.lost);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(burst[i].timestamp_ns / 1'000'000'000, 7);
      read.frames.emplace_back(burst[i].bytes.begin(), burst[i].bytes.end());
    }
  }
  return read;
}

const std::vector<Frame> kThree = {counting(60), counting(14), counting(100)};

TEST(BlockReader, reads_a_block_in_any_portions) {
  for (const std::size_t at_once : {1UL, 2UL, 3UL, 32UL}) {
    Frame block = block_of(kThree);
    const Read read = read_all(block, at_once);
    EXPECT_EQ(read.frames, kThree);
    EXPECT_EQ(read.lost, 0U);
  }
  Frame empty = block_of({});
  EXPECT_EQ(read_all(empty, 32).frames.size(), 0U);
  EXPECT_TRUE(BlockReader().done());
}

TEST(BlockReader, counts_a_frame_that_was_cut_and_goes_on) {
  Frame block = block_of(kThree);
  change_header(block, 1, [](tpacket3_hdr& header) { header.tp_len = 9000; });
  const Read read = read_all(block, 2);
  EXPECT_EQ(read.frames, (std::vector<Frame>{kThree[0], kThree[2]}));
  EXPECT_EQ(read.lost, 1U);
}

TEST(BlockReader, gives_up_a_block_that_points_out_of_itself) {
  const std::function<void(tpacket3_hdr&)> kWrongs[] = {
      [](tpacket3_hdr& header) { header.tp_snaplen = header.tp_len = 4096; },
      [](tpacket3_hdr& header) { header.tp_mac = 0xffff; },
      [](tpacket3_hdr& header) { header.tp_mac = sizeof header; },  // no room for what stands before a frame
  };
  for (const auto& wrong : kWrongs) {
    Frame block = block_of(kThree);
    change_header(block, 1, wrong);
    const Read read = read_all(block, 32);
    EXPECT_EQ(read.frames, std::vector<Frame>{kThree[0]});
    EXPECT_EQ(read.lost, 2U);
  }
  for (const std::uint32_t next : {0U, 4000U, 0xffff'ff00U}) {
    Frame block = block_of(kThree);
    change_header(block, 0, [=](tpacket3_hdr& header) { header.tp_next_offset = next; });
    const Read read = read_all(block, 32);
    EXPECT_EQ(read.frames, std::vector<Frame>{kThree[0]});
    EXPECT_EQ(read.lost, 2U);
  }
}

TEST(WholeFrame, moves_its_offload_with_a_tag_put_back) {
  const Frame plain = ether(kOurMac, 0x0800, counting(46));
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum, .hdr_len = 54, .csum_start = 34, .csum_offset = 6};
  Frame memory(host::kVnetHeaderBytes);
  put(memory, 0, offload);
  memory = memory + plain;
  const drv::RxFrame whole = host::whole_frame(MutBytes(memory).subspan(host::kVnetHeaderBytes),
                                               {.status = TP_STATUS_VLAN_VALID, .vlan_tci = 0x2007}, true);
  EXPECT_EQ(Frame(whole.bytes.begin(), whole.bytes.end()), tagged(plain, 0x2007)) << "802.1Q, if nobody says another";
  EXPECT_EQ(whole.offload.csum_start, 38);
  EXPECT_EQ(whole.offload.csum_offset, 6);
  EXPECT_EQ(whole.offload.hdr_len, 58);
}

TEST(WholeFrame, leaves_alone_what_has_no_place_for_a_tag) {
  Frame memory(host::kVnetHeaderBytes + 11);
  const drv::RxFrame whole = host::whole_frame(MutBytes(memory).subspan(host::kVnetHeaderBytes),
                                               {.status = TP_STATUS_VLAN_VALID, .vlan_tci = 7}, false);
  EXPECT_EQ(whole.bytes.size(), 11U);
}

TEST(NotesInControl, reads_what_is_there_and_no_further) {
  EXPECT_EQ(host::notes_in_control({}).status, 0U);
  Frame control(CMSG_SPACE(sizeof(tpacket_auxdata)) + CMSG_SPACE(sizeof(timespec)));
  cmsghdr header{};
  header.cmsg_level = SOL_PACKET;
  header.cmsg_type = PACKET_AUXDATA;
  header.cmsg_len = CMSG_LEN(sizeof(tpacket_auxdata));
  put(control, 0, header);
  tpacket_auxdata aux{};
  aux.tp_status = TP_STATUS_VLAN_VALID;
  aux.tp_vlan_tci = 5;
  put(control, CMSG_LEN(0), aux);
  const std::size_t second = CMSG_SPACE(sizeof(tpacket_auxdata));
  header = {.cmsg_len = CMSG_LEN(sizeof(timespec)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_TIMESTAMPNS};
  put(control, second, header);
  put(control, second + CMSG_LEN(0), timespec{.tv_sec = 3, .tv_nsec = 4});

  const host::FrameNotes notes = host::notes_in_control(control);
  EXPECT_EQ(notes.vlan_tci, 5);
  EXPECT_EQ(notes.timestamp_ns, 3'000'000'004);
  for (std::size_t bytes = 0; bytes < control.size(); ++bytes) {
    const Frame cut(control.begin(), control.begin() + static_cast<long>(bytes));
    EXPECT_LE(host::notes_in_control(cut).vlan_tci, 5) << "and ASan sees the rest";
  }
}

TEST(NotesInControl, take_a_time_no_clock_shows_for_none) {
  Frame control(CMSG_SPACE(sizeof(timespec)));
  put(control, 0,
      cmsghdr{.cmsg_len = CMSG_LEN(sizeof(timespec)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_TIMESTAMPNS});
  for (const timespec beyond : {timespec{INT64_MIN, 0}, timespec{INT64_MAX / 1'000'000'000, INT64_MAX}}) {
    put(control, CMSG_LEN(0), beyond);
    EXPECT_EQ(host::notes_in_control(control).timestamp_ns, 0);
  }
}

}  // namespace
