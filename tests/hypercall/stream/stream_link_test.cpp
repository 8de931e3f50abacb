// SPDX-License-Identifier: BSD-2-Clause
// One peer behind a stream of bytes, by one thread: whole frames however the bytes come and go, and the end of it.
// Who is connected when: stream_carrier_test.cpp. One frame a packet: packet_link_test.cpp. Failing calls:
// stream_faults_test.cpp.
#include "hypercall/stream/stream_link.hpp"

#include <array>

#include "tests/hypercall/stream/stream_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class Stream : public StreamRig {
 protected:
  void adopt_with_room_for(int send_bytes) {
    pair = PeerPair::make(SOCK_STREAM, send_bytes);
    adopt(pair);
  }
  // Sends until the socket is full, and returns what was taken.
  WireFrames fill(std::size_t frame_bytes) {
    WireFrames all;
    for (;;) {
      WireFrames burst;
      for (unsigned i = 0; i < 32; ++i) {
        burst.push_back({counting(frame_bytes)});
        burst.back().bytes[0] = static_cast<std::byte>(all.size() + i);
      }
      const drv::SendResult result = link.send(burst, 3);
      all.insert(all.end(), burst.begin(), burst.begin() + static_cast<std::ptrdiff_t>(result.taken));
      if (result.status == drv::SendStatus::would_block) return all;
      EXPECT_EQ(result.status, drv::SendStatus::ok);
    }
  }
  // `count` bytes of what the peer gets, or as many as come, with the link doing what is its turn meanwhile.
  Frame read_meanwhile(std::size_t count) {
    Frame got;
    while (got.size() < count) {
      const Frame more = pair.theirs.read_now(count - got.size());
      if (more.empty() && !turn()) break;
      got = got + more;
    }
    return got;
  }
  PeerPair pair = PeerPair::make();
};

TEST_F(Stream, speaks_lengths_of_four_bytes_both_ways) {
  adopt(pair);
  EXPECT_EQ(link.send(counting(60)).taken, 1U);
  EXPECT_EQ(pair.theirs.read(64), hex("0000003c") + counting(60));
  pair.theirs.write(hex("0000003d") + counting(61));
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, WireFrames{{counting(61)}});
  EXPECT_GT(sink.timestamps_ns.at(0), 1'600'000'000'000'000'000) << "stamped with the host's clock";
}

TEST_F(Stream, speaks_lengths_of_two_bytes_when_asked) {
  adopt(pair, ",framing=vde");
  EXPECT_EQ(link.send(counting(60)).taken, 1U);
  EXPECT_EQ(pair.theirs.read(62), hex("003c") + counting(60));
  pair.theirs.write(hex("003d") + counting(61));
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, WireFrames{{counting(61)}});
}

TEST_F(Stream, finds_frames_in_whatever_pieces_they_come) {
  adopt(pair);
  WireFrames frames;
  Frame bytes;
  for (const std::size_t size : {14UL, 60UL, 1514UL}) {
    frames.push_back({counting(size)});
    bytes = bytes + framed(frames.back().bytes);
  }
  for (const std::byte byte : bytes) {
    pair.theirs.write({byte});
    EXPECT_TRUE(turn());
  }
  EXPECT_EQ(sink.frames, frames);
  pair.theirs.write(bytes + bytes);
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames.size(), 9U) << "several a read";
}

TEST_F(Stream, hangs_up_on_a_length_that_cannot_be) {
  for (const char* length : {"00000000", "00011001", "ffffffff", "47455420"}) {  // the last: "GET "
    pair = PeerPair::make();
    adopt(pair);
    sink.losses = {};
    sink.frames.clear();
    pair.theirs.write(framed(counting(60)) + hex(length) + framed(counting(60)));
    EXPECT_TRUE(turn());
    EXPECT_EQ(sink.frames.size(), 1U) << "what came before";
    EXPECT_EQ(sink.lost(DropReason::rx_malformed), 1U);
    EXPECT_FALSE(carrier());
    ASSERT_TRUE(sink.why);
    EXPECT_EQ(sink.why->number(), EPROTO);
    EXPECT_NE(why().find("frame length of"), std::string::npos) << why();
    EXPECT_TRUE(pair.theirs.at_end());
    EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::network_down);
    close();
  }
}

TEST_F(Stream, counts_a_frame_whose_peer_went_within_it) {
  const Frame whole = framed(counting(60));
  for (const std::size_t have : {1UL, 3UL, 4UL, 5UL, 63UL}) {
    pair = PeerPair::make();
    adopt(pair);
    sink.losses = {};
    sink.frames.clear();
    pair.theirs.write(whole + Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(have)));
    pair.theirs.hang_up();
    EXPECT_TRUE(turn());
    EXPECT_EQ(sink.frames.size(), 1U);
    EXPECT_EQ(sink.lost(DropReason::rx_malformed), 1U) << have;
    EXPECT_NE(why().find("within a frame"), std::string::npos) << why();
    close();
  }
}

TEST_F(Stream, delivers_what_a_peer_sent_before_it_went) {
  adopt(pair);
  pair.theirs.write(framed(counting(60)));
  pair.theirs.hang_up();
  EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::network_down) << "and no SIGPIPE";
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.states, std::vector{net::LinkState::down});
  EXPECT_EQ(sink.losses, decltype(sink.losses){});
}

// The kernel ends a read behind a descriptor, so that less than asked for is not all there is.
TEST_F(Stream, reads_on_behind_descriptors_that_nobody_asked_for) {
  adopt(pair);
  for (int i = 0; i < 3; ++i) {
    Frame bytes = framed(counting(60));
    iovec piece{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = 0;
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ASSERT_EQ(::sendmsg(pair.theirs.fd(), &message, 0), static_cast<ssize_t>(bytes.size()));
  }
  pair.theirs.write(framed(counting(61)));
  pair.theirs.hang_up();
  EXPECT_TRUE(turn());
  turn();
  EXPECT_EQ(sink.frames.size(), 4U);
  EXPECT_EQ(sink.states, std::vector{net::LinkState::down});
}

// Less than asked for is not all there is: the end may be behind it, and no edge of its own tells.
TEST_F(Stream, notices_a_peer_that_went_with_our_frames_unread) {
  for (const char* option : {"", ",framing=bess"}) {
    pair = PeerPair::make(*option == '\0' ? SOCK_STREAM : SOCK_SEQPACKET);
    adopt(pair, option);
    sink.frames.clear();
    EXPECT_EQ(link.send(counting(60)).taken, 1U);
    pair.theirs.write(*option == '\0' ? framed(counting(61)) : counting(61));
    pair.theirs.hang_up();
    EXPECT_TRUE(turn());
    EXPECT_EQ(sink.frames.size(), 1U);
    EXPECT_FALSE(carrier());
    EXPECT_NE(why(), "");
    sink.why.reset();
    close();
  }
}

TEST_F(Stream, never_tears_a_frame_and_goes_on_when_there_is_room) {
  for (const std::size_t frame_bytes : {60UL, 1514UL, 9014UL, 65'535UL}) {
    adopt_with_room_for(1);  // the least the kernel gives, so that frames go out in parts
    for (int refills = 0; refills < 10; ++refills) {
      const WireFrames sent = fill(frame_bytes);
      ASSERT_FALSE(sent.empty());
      EXPECT_FALSE(turn()) << "still full";
      for (const WireFrame& frame : sent) EXPECT_TRUE(read_meanwhile(4 + frame_bytes) == framed(frame.bytes));
    }
    EXPECT_EQ(read_meanwhile(1).size(), 0U) << "and nothing twice";
    close();
  }
}

TEST_F(Stream, counts_the_frame_it_could_not_finish) {
  adopt_with_room_for(1);
  ASSERT_EQ(fill(65'535).size(), 1U);
  pair.theirs.hang_up();
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.lost(DropReason::tx_error), 1U);
  EXPECT_FALSE(carrier());
}

TEST_F(Stream, is_not_woken_for_room_it_does_not_wait_for) {
  adopt(pair);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(link.send(counting(60)).taken, 1U);
    pair.theirs.read(64);
    EXPECT_FALSE(turn());
  }
}

TEST_F(Stream, keeps_what_comes_while_it_is_down) {
  adopt(pair);
  link.stop();
  pair.theirs.write(framed(counting(60)));
  EXPECT_FALSE(turn());
  ASSERT_TRUE(link.start());
  link.drain_all();
  EXPECT_EQ(sink.frames.size(), 1U);
  link.stop();
  pair.theirs.hang_up();
  ASSERT_TRUE(link.start());
  link.drain_all();
  EXPECT_EQ(sink.states, std::vector{net::LinkState::down}) << "and a peer's going";
}

TEST_F(Stream, says_what_it_uses) {
  adopt(pair);
  EXPECT_TRUE(link.link.chosen.starts_with("uses descriptor ")) << link.link.chosen;
  EXPECT_TRUE(link.link.chosen.ends_with(", 4-byte lengths in a stream")) << link.link.chosen;
  EXPECT_EQ(link.link.caps.frame_bytes_max, 65'535U);
  EXPECT_EQ(link.link.caps.link_state, net::LinkState::up);
}

}  // namespace
