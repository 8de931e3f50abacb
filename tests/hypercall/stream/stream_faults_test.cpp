// SPDX-License-Identifier: BSD-2-Clause
// The host refuses, call by call: what passes is sat out, what does not is said, and no frame is torn or lost
// uncounted.
#include "tests/hypercall/stream/stream_rig.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using std::chrono::milliseconds;

class StreamFaults : public StreamRig {
 protected:
  void expect_refused(const std::string& linkstr, int number) {
    const auto opened = try_open(linkstr);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().number(), number) << opened.error().text;
    EXPECT_FALSE(opened.error().text.empty());
  }
  const std::string path = folder / "peer.sock";
};

TEST_F(StreamFaults, say_why_a_link_cannot_be_opened) {
  const RawPeer listener = RawPeer::listen(path);
  for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EIO}) {
    for (const char* call : {"socket", "connect"}) {
      HostFaults host;
      host.fail(call, number);
      expect_refused("stream:" + path, number);
      expect_refused("stream:" + path + ",framing=bess", number);
    }
    for (const char* call : {"socket", "bind", "listen"}) {
      HostFaults host;
      host.fail(call, number);
      expect_refused("stream:" + folder / "new.sock" + ",listen", number);
      EXPECT_FALSE(std::filesystem::exists(folder / "new.sock"));
    }
  }
  VIF_NEEDS_DESCRIPTORS();
  const FewDescriptors none(0);
  expect_refused("stream:" + path, EMFILE);
}

TEST_F(StreamFaults, say_why_a_link_cannot_be_started) {
  PeerPair pair = PeerPair::make();
  auto opened = try_open("stream:fd=" + std::to_string(pair.ours.release()));
  ASSERT_TRUE(opened);
  link.link = std::move(*opened);
  {
    HostFaults host;
    host.fail("epoll_ctl", ENOMEM);
    const Status started = link.link.port->start(sink);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().number(), ENOMEM);
  }
  EXPECT_TRUE(link.start()) << "later it can";
}

TEST_F(StreamFaults, keep_a_server_waiting_until_it_can_accept) {
  for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM}) {
    open("stream:" + path + ",listen");
    const RawPeer peer = RawPeer::connect(path);
    HostFaults host;
    host.fail("accept4", number);
    EXPECT_TRUE(turn());
    EXPECT_FALSE(carrier());
    EXPECT_NE(why().find("cannot accept"), std::string::npos) << why();
    host.heal("accept4");
    pass(milliseconds(100));
    EXPECT_TRUE(turn());
    EXPECT_TRUE(carrier());
    close();
  }
}

TEST_F(StreamFaults, do_not_hurt_when_they_pass) {
  open("stream:" + path + ",listen");
  const RawPeer peer = RawPeer::connect(path);
  HostFaults host;
  host.fail("accept4", EINTR, 2);
  host.fail("recv", EINTR, 2);
  host.fail("sendmsg", EINTR, 2);
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
  peer.write(framed(counting(60)));
  EXPECT_TRUE(turn());
  EXPECT_EQ(link.send(counting(61)).taken, 1U);
  EXPECT_EQ(peer.read(65), framed(counting(61)));
  EXPECT_EQ(sink.frames.size(), 1U);
}

TEST_F(StreamFaults, make_a_client_try_again_when_it_cannot_watch_its_peer) {
  const RawPeer listener = RawPeer::listen(path);
  open("stream:" + path + ",reconnect");
  listener.accept().hang_up();
  EXPECT_TRUE(turn());
  HostFaults host;
  host.fail("epoll_ctl", ENOMEM);
  pass(milliseconds(100));
  EXPECT_TRUE(turn());
  EXPECT_FALSE(carrier());
  host.heal("epoll_ctl");
  pass(milliseconds(1000));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(carrier());
}

struct FramingUnderTest {
  const char* name;
  int type;
  const char *send_call, *receive_call;
  const char* option;
  Frame wire(const Frame& frame) const { return type == SOCK_STREAM ? framed(frame) : frame; }
  friend void PrintTo(const FramingUnderTest& framing, std::ostream* to) { *to << framing.name; }
};

class FramingFaults : public StreamFaults, public testing::WithParamInterface<FramingUnderTest> {
 protected:
  void SetUp() override { adopt(pair, GetParam().option); }
  Frame wire(const Frame& frame) const { return GetParam().wire(frame); }
  PeerPair pair = PeerPair::make(GetParam().type);
};

TEST_P(FramingFaults, break_the_connection_when_they_are_final) {
  for (const int number : {EIO, EPIPE, ECONNRESET, ENOTCONN, EBADF}) {
    for (const char* call : {GetParam().send_call, GetParam().receive_call}) {
      HostFaults host;
      host.fail(call, number);
      const drv::SendStatus status = link.send(counting(60)).status;
      if (call == GetParam().send_call) {
        EXPECT_EQ(status, drv::SendStatus::network_down);
      }
      link.drain_all();
      EXPECT_FALSE(carrier());
      ASSERT_TRUE(sink.why);
      EXPECT_EQ(sink.why->number(), number) << why();
    }
    close();
    pair = PeerPair::make(GetParam().type);
    sink.why.reset();
    SetUp();
  }
}

TEST_P(FramingFaults, are_sat_out_when_memory_lacks) {
  HostFaults host;
  for (const int number : {ENOBUFS, ENOMEM}) {
    host.fail(GetParam().send_call, number);
    EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::would_block);
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(turn());
      pass(milliseconds(2));
      EXPECT_TRUE(turn()) << "it calls to be tried again, though no descriptor tells";
      EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::would_block);
    }
    host.heal(GetParam().send_call);
    EXPECT_EQ(link.send(counting(60)).taken, 1U);
    EXPECT_EQ(pair.theirs.read_now(), wire(counting(60)));

    host.fail(GetParam().receive_call, number);
    pair.theirs.write(wire(counting(61)));
    EXPECT_TRUE(turn());
    EXPECT_TRUE(sink.frames.empty());
    host.heal(GetParam().receive_call);
    pass(milliseconds(2));
    EXPECT_TRUE(turn());
    EXPECT_EQ(std::exchange(sink.frames, {}), WireFrames{{counting(61)}});
  }
  EXPECT_TRUE(sink.states.empty());
}

// Nothing tells when there is room, so it looks by itself.
TEST_P(FramingFaults, do_not_stop_it_when_it_cannot_wait_for_room) {
  HostFaults host;
  host.fail(GetParam().send_call, EAGAIN, 1);
  host.fail("epoll_ctl", ENOMEM);
  EXPECT_EQ(link.send(counting(60)).status, drv::SendStatus::would_block);
  pass(milliseconds(2));
  EXPECT_TRUE(turn());
  EXPECT_EQ(link.send(counting(60)).taken, 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Framings, FramingFaults,
    testing::Values(FramingUnderTest{"qemu", SOCK_STREAM, "sendmsg", "recv", ",framing=qemu"},
                    FramingUnderTest{"bess", SOCK_SEQPACKET, "sendmmsg", "recvmmsg", ",framing=bess"},
                    FramingUnderTest{"dgram", SOCK_DGRAM, "sendmmsg", "recvmmsg", ",framing=dgram"}),
    [](const auto& framing) { return std::string(framing.param.name); });

// Wherever a send ends within a burst, what the peer reads is whole.
TEST_F(StreamFaults, cut_no_frame_at_whatever_byte_they_end_a_send) {
  const WireFrames burst = {{counting(20)}, {counting(300)}, {counting(14)}};  // short, long, short
  Frame wire;
  for (const WireFrame& frame : burst) wire = wire + framed(frame.bytes);
  for (std::size_t first = 1; first < wire.size(); ++first) {
    PeerPair pair = PeerPair::make();
    adopt(pair);
    HostFaults host;
    host.shorten("sendmsg", first, 1);
    host.fail("sendmsg", EAGAIN, 1, 1);
    const drv::SendResult result = link.send(burst, 4);
    EXPECT_EQ(result.status, drv::SendStatus::would_block);
    EXPECT_EQ(result.taken, first <= 24 ? 1U : first <= 328 ? 2U : 3U) << "taken is what was begun, at " << first;
    host.shorten("sendmsg", 3);  // and the rest in small pieces
    const WireFrames rest(burst.begin() + static_cast<std::ptrdiff_t>(result.taken), burst.end());
    EXPECT_EQ(link.send(rest, 4).taken, rest.size());
    turn();
    EXPECT_EQ(pair.theirs.read_now(), wire) << first;
    close();
  }
}

}  // namespace
