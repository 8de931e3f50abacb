// SPDX-License-Identifier: BSD-2-Clause
// Who is connected, and who comes next: as a client and as a server, with the carrier up exactly while somebody is.
#include <sys/stat.h>

#include <fstream>

#include "tests/hypercall/stream/stream_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using std::chrono::milliseconds;

class StreamCarrier : public StreamRig {
 protected:
  bool exists() const { return std::filesystem::exists(path); }
  // A frame each way.
  void expect_to_talk(const RawPeer& peer) {
    const std::size_t before = sink.frames.size();
    EXPECT_EQ(link.send(counting(60)).taken, 1U);
    EXPECT_EQ(peer.read(64), framed(counting(60)));
    peer.write(framed(counting(61)));
    EXPECT_TRUE(turn());
    EXPECT_EQ(sink.frames.size(), before + 1);
  }
  void expect_refused(const std::string& linkstr, int number, const std::string& names) {
    const auto opened = try_open(linkstr);
    ASSERT_FALSE(opened) << linkstr;
    EXPECT_EQ(opened.error().number(), number) << opened.error().text;
    EXPECT_NE(opened.error().text.find(names), std::string::npos) << opened.error().text;
  }

  const std::string path = folder / "peer.sock";
  const std::string client = "stream:" + path;
};

// --- client ---

TEST_F(StreamCarrier, connects_when_it_is_opened) {
  const RawPeer listener = RawPeer::listen(path);
  open(client);
  EXPECT_EQ(link.link.caps.link_state, net::LinkState::up);
  EXPECT_EQ(link.link.chosen, "connects to " + path + ", 4-byte lengths in a stream");
  expect_to_talk(listener.accept());
}

TEST_F(StreamCarrier, says_what_to_do_when_nobody_is_there) {
  expect_refused(client, ENOENT, "reconnect");
  { const RawPeer dead = RawPeer::listen(path); }
  expect_refused(client, ECONNREFUSED, "start the peer first");
  const RawPeer other = RawPeer::listen(folder / "packets.sock", SOCK_SEQPACKET);
  expect_refused("stream:" + folder / "packets.sock", EPROTOTYPE, "framing=");
  expect_refused("stream:/" + std::string(108, 'x'), ENAMETOOLONG, "107 bytes");
}

TEST_F(StreamCarrier, says_whose_permission_is_missing) {
  const RawPeer listener = RawPeer::listen(path);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  const NotRoot somebody;
  expect_refused(client, EACCES, "write permission");
}

TEST_F(StreamCarrier, goes_down_for_good_with_its_peer) {
  RawPeer listener = RawPeer::listen(path);
  open(client);
  listener.accept().hang_up();
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.states, std::vector{net::LinkState::down});
  EXPECT_EQ(why(), path + ": the peer closed the connection");
  pass(milliseconds(60'000));
  EXPECT_FALSE(turn());
  EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::network_down);
}

TEST_F(StreamCarrier, waits_for_a_peer_with_longer_and_longer_pauses) {
  open(client + ",reconnect");
  EXPECT_EQ(link.link.caps.link_state, net::LinkState::down);
  EXPECT_NE(why().find(path), std::string::npos) << "it says for whom it waits";
  std::vector<Time> tries;
  for (Time now{}; now < milliseconds(20'000); now += milliseconds(50)) {
    pass(milliseconds(50));
    if (turn()) tries.push_back(now + milliseconds(50));
  }
  const std::vector<Time> expected = {milliseconds(100),  milliseconds(300),  milliseconds(700),   milliseconds(1500),
                                      milliseconds(3100), milliseconds(6300), milliseconds(11300), milliseconds(16300)};
  EXPECT_EQ(tries, expected);
  EXPECT_FALSE(carrier());
  const RawPeer listener = RawPeer::listen(path);
  pass(milliseconds(5000));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  expect_to_talk(listener.accept());
}

TEST_F(StreamCarrier, comes_back_to_a_peer_that_was_away) {
  RawPeer listener = RawPeer::listen(path);
  open(client + ",reconnect");
  for (int i = 0; i < 5; ++i) {
    RawPeer peer = listener.accept();
    expect_to_talk(peer);
    pass(milliseconds(60'000));
    peer.hang_up();
    EXPECT_TRUE(turn());
    EXPECT_FALSE(carrier());
    EXPECT_NE(why().find("closed the connection"), std::string::npos);
    pass(milliseconds(99));
    EXPECT_FALSE(turn());
    pass(milliseconds(1));
    EXPECT_TRUE(turn()) << "as quickly as at first: it stayed for long";
    EXPECT_TRUE(carrier());
  }
}

TEST_F(StreamCarrier, does_not_storm_a_peer_that_hangs_up_on_it) {
  const RawPeer listener = RawPeer::listen(path);
  open(client + ",reconnect");
  int connected = 0;
  for (int i = 0; i < 1000; ++i) {
    RawPeer peer = listener.accept();
    if (peer.fd() < 0) break;
    ++connected;
    peer.write(hex("ffffffff"));
    peer.hang_up();
    turn();
    for (int wait = 0; wait < 100 && !carrier(); ++wait) {
      pass(milliseconds(50));
      turn();
      if (owner.host.clock.now() > milliseconds(30'000)) break;
    }
    if (!carrier()) break;
  }
  EXPECT_LE(connected, 12) << "in half a minute";
  EXPECT_EQ(sink.lost(DropReason::rx_malformed), static_cast<std::uint64_t>(connected));
}

TEST_F(StreamCarrier, looks_for_nobody_while_it_is_down) {
  open(client + ",reconnect");
  link.stop();
  const RawPeer listener = RawPeer::listen(path);
  pass(milliseconds(60'000));
  EXPECT_FALSE(turn());
  EXPECT_FALSE(carrier());
  ASSERT_TRUE(link.start());
  link.drain_all();
  EXPECT_TRUE(carrier()) << "and at once when it is up";
}

// --- server ---

TEST_F(StreamCarrier, serves_one_peer_after_the_other) {
  open(client + ",listen");
  EXPECT_EQ(link.link.caps.link_state, net::LinkState::down);
  EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::network_down);
  RawPeer first = RawPeer::connect(path);
  const RawPeer second = RawPeer::connect(path);
  second.write(framed(counting(62)));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  expect_to_talk(first);
  EXPECT_EQ(sink.frames.size(), 1U) << "the second has to wait";
  first.hang_up();
  EXPECT_TRUE(turn());
  EXPECT_EQ(sink.states, (std::vector{net::LinkState::up, net::LinkState::down, net::LinkState::up}));
  EXPECT_EQ(sink.frames.back(), WireFrame{counting(62)});
  expect_to_talk(second);
}

TEST_F(StreamCarrier, serves_who_came_while_it_was_down) {
  open(client + ",listen");
  link.stop();
  const RawPeer peer = RawPeer::connect(path);
  EXPECT_FALSE(turn());
  ASSERT_TRUE(link.start());
  link.drain_all();
  EXPECT_TRUE(carrier());
  expect_to_talk(peer);
}

TEST_F(StreamCarrier, makes_its_socket_and_takes_it_away) {
  open(client + ",listen");
  EXPECT_TRUE(exists());
  expect_refused(client + ",listen", EADDRINUSE, path);
  close();
  EXPECT_FALSE(exists());
}

TEST_F(StreamCarrier, takes_the_place_of_a_socket_nobody_listens_at) {
  { const RawPeer dead = RawPeer::listen(path); }
  ASSERT_TRUE(exists());
  open(client + ",listen");
  const RawPeer peer = RawPeer::connect(path);
  EXPECT_TRUE(turn());
  expect_to_talk(peer);
}

TEST_F(StreamCarrier, leaves_alone_what_is_not_its_own) {
  std::ofstream(path) << "precious";
  expect_refused(client + ",listen", EADDRINUSE, "no socket");
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  std::filesystem::remove(path);
  open(client + ",listen");
  std::filesystem::remove(path);
  const RawPeer another = RawPeer::listen(path);
  close();
  EXPECT_TRUE(exists()) << "somebody else's by now";
}

TEST_F(StreamCarrier, knows_names_that_are_no_files) {
  const std::string name = "stream:@virtif-test-" + std::to_string(::getpid());
  open(name + ",listen");
  expect_refused(name + ",listen", EADDRINUSE, "somebody listens there");
  RecordedLink other;
  auto opened = try_open(name);
  ASSERT_TRUE(opened) << opened.error().text;
  other.link = std::move(*opened);
  ASSERT_TRUE(other.start());
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  EXPECT_EQ(link.send(counting(60)).taken, 1U);
  other.drain_all();
  EXPECT_EQ(other.sink.frames.size(), 1U);
  other.stop();
}

// --- fd=N ---

TEST_F(StreamCarrier, refuses_a_descriptor_that_is_no_connected_socket_and_leaves_it_to_its_owner) {
  const host::UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const RawPeer listener = RawPeer::listen(path), packets = std::move(PeerPair::make(SOCK_SEQPACKET).ours);
  const auto named = [](int fd) { return "stream:fd=" + std::to_string(fd); };
  expect_refused("stream:fd=987654", EBADF, "descriptor 987654");
  expect_refused(named(file.get()), ENOTSOCK, "connected socket");
  expect_refused(named(listener.fd()), ENOTCONN, "connected socket");
  expect_refused(named(packets.fd()), EINVAL, "SOCK_SEQPACKET");
  for (const int fd : {file.get(), listener.fd(), packets.fd()}) EXPECT_GE(::fcntl(fd, F_GETFD), 0) << "still open";
}

TEST_F(StreamCarrier, owns_the_descriptor_it_was_given) {
  PeerPair pair = PeerPair::make();
  adopt(pair);
  expect_to_talk(pair.theirs);
  close();
  EXPECT_TRUE(pair.theirs.at_end());
}

}  // namespace
