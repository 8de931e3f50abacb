// SPDX-License-Identifier: BSD-2-Clause
// One frame a packet: SOCK_SEQPACKET, which has connections, and SOCK_DGRAM, which hardly has.
#include "tests/hypercall/stream/stream_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using std::chrono::milliseconds;

class Packets : public StreamRig {
 protected:
  WireFrames burst(std::size_t count, std::size_t frame_bytes) {
    WireFrames frames;
    for (std::size_t i = 0; i < count; ++i) {
      frames.push_back({counting(frame_bytes)});
      frames.back().bytes[0] = static_cast<std::byte>(i);
    }
    return frames;
  }
  const std::string path = folder / "peer.sock", local = folder / "local.sock";
};

TEST_F(Packets, puts_one_frame_in_a_packet_both_ways) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET);
  adopt(pair, ",framing=bess");
  EXPECT_TRUE(link.link.chosen.ends_with(", one frame a packet")) << link.link.chosen;
  const WireFrames frames = burst(100, 60);
  EXPECT_EQ(link.send(frames, 3).taken, 100U);
  for (const WireFrame& frame : frames) EXPECT_EQ(pair.theirs.read_now(), frame.bytes);
  for (const WireFrame& frame : frames) pair.theirs.write(frame.bytes);
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, frames);
  EXPECT_GT(sink.timestamps_ns.at(0), 1'600'000'000'000'000'000);
}

TEST_F(Packets, connects_and_listens) {
  const RawPeer listener = RawPeer::listen(path, SOCK_SEQPACKET);
  open("stream:" + path + ",framing=bess");
  link.send(counting(60));
  EXPECT_EQ(listener.accept().read_now(), counting(60));
  close();
  open("stream:" + local + ",framing=bess,listen");
  RawPeer first = RawPeer::connect(local, SOCK_SEQPACKET);
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  first.write(counting(61));
  first.hang_up();
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, WireFrames{{counting(61)}}) << "what it sent before it went";
  EXPECT_FALSE(carrier());
  const RawPeer second = RawPeer::connect(local, SOCK_SEQPACKET);
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
}

TEST_F(Packets, of_any_length_arrive_whole) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET);
  adopt(pair, ",framing=bess");
  WireFrames sent;
  for (const std::size_t bytes : {60UL, 2047UL, 2048UL, 60UL, 2049UL, 9014UL, 65'535UL, 60UL}) {
    sent.push_back({counting(bytes)});
    pair.theirs.write(sent.back().bytes);
  }
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, sent);
}

// They read like the end of the connection, and are not.
TEST_F(Packets, takes_empty_packets_for_frames_too_short) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET);
  adopt(pair, ",framing=bess");
  for (int i = 0; i < 3; ++i) pair.theirs.write({});
  pair.theirs.write(counting(60));
  pair.theirs.write({});
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, (WireFrames{{{}}, {{}}, {{}}, {counting(60)}, {{}}})) << "for the driver to count";
  EXPECT_TRUE(sink.states.empty());
  pair.theirs.write({});
  pair.theirs.write(counting(61));
  pair.theirs.hang_up();
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames.size(), 7U);
  EXPECT_EQ(sink.states, std::vector{net::LinkState::down});
}

// So that the driver drops it as too long.
TEST_F(Packets, passes_the_front_of_a_packet_above_the_largest) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET);
  adopt(pair, ",framing=bess");
  pair.theirs.write(counting(90'000));
  pair.theirs.write(counting(60));
  EXPECT_TRUE(turn());
  ASSERT_EQ(sink.frames.size(), 2U);
  EXPECT_GT(sink.frames[0].bytes.size(), link.link.caps.frame_bytes_max + 4);
  EXPECT_EQ(sink.frames[1].bytes, counting(60));
}

TEST_F(Packets, drops_a_frame_above_the_send_buffer_and_goes_on) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET, 1);
  adopt(pair, ",framing=bess");
  const drv::SendResult result = link.send(WireFrames{{counting(60)}, {counting(60'000)}, {counting(61)}});
  EXPECT_EQ(result.taken, 1U);
  EXPECT_EQ(result.status, drv::SendStatus::message_size);
  EXPECT_EQ(link.send(counting(61)).taken, 1U);
  EXPECT_EQ(pair.theirs.read_now(), counting(60));
  EXPECT_EQ(pair.theirs.read_now(), counting(61));
}

TEST_F(Packets, goes_on_when_there_is_room_again) {
  PeerPair pair = PeerPair::make(SOCK_SEQPACKET, 1);
  adopt(pair, ",framing=bess");
  for (int i = 0; i < 10; ++i) {
    const drv::SendResult result = link.send(burst(200, 60));
    EXPECT_GT(result.taken, 0U);
    EXPECT_EQ(result.status, drv::SendStatus::would_block);
    EXPECT_FALSE(turn()) << "still full";
    for (std::size_t n = 0; n < result.taken; ++n) EXPECT_EQ(pair.theirs.read_now().at(0), static_cast<std::byte>(n));
    EXPECT_TRUE(turn()) << "there is room";
  }
}

// --- datagrams: QEMU's -netdev dgram,local.path=PEER,remote.path=OURS ---

TEST_F(Packets, speaks_datagrams_between_two_paths) {
  const RawPeer peer = RawPeer::bound(path, SOCK_DGRAM);
  open("stream:" + path + ",framing=dgram,local=" + local);
  EXPECT_EQ(link.link.chosen, "connects to " + path + " from " + local + ", one frame a packet");
  EXPECT_EQ(link.send(counting(60)).taken, 1U);
  EXPECT_EQ(peer.read_now(), counting(60));
  sockaddr_un back{};
  back.sun_family = AF_UNIX;
  std::strncpy(back.sun_path, local.c_str(), sizeof back.sun_path - 1);
  const Frame frame = counting(61);
  EXPECT_EQ(::sendto(peer.fd(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&back), sizeof back),
            61);
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.frames, WireFrames{{counting(61)}});
  close();
  EXPECT_FALSE(std::filesystem::exists(local));
}

// Only who sends finds out that nobody is there any more.
TEST_F(Packets, comes_back_to_a_peer_without_connections) {
  RawPeer peer = RawPeer::bound(path, SOCK_DGRAM);
  open("stream:" + path + ",framing=dgram,reconnect,local=" + local);
  peer.hang_up();
  EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::network_down);
  EXPECT_TRUE(turn());
  EXPECT_FALSE(carrier());
  EXPECT_NE(why().find("Connection refused"), std::string::npos) << why();
  std::filesystem::remove(path);
  peer = RawPeer::bound(path, SOCK_DGRAM);
  pass(milliseconds(200));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  EXPECT_EQ(link.send(counting(62)).taken, 1U);
  EXPECT_EQ(peer.read_now(), counting(62));
}

}  // namespace
