// SPDX-License-Identifier: BSD-2-Clause
// A TCP connection of ours and its peer written by hand. One thread.
#pragma once

#include "tests/netstack/lwip/lwip_rig.hpp"

namespace vif::test {

using net::lwip::TcpAcceptor;
using net::lwip::TcpConnection;
using net::lwip::TcpEvents;
using net::lwip::TcpInfo;
using net::lwip::TcpListener;
using net::lwip::TcpState;

inline constexpr std::uint16_t kTheirPort = 4000, kOurPort = 80;

// Keeps what comes, and does with it what the test says.
struct Side final : TcpEvents, TcpAcceptor {
  void tcp_arrived(std::unique_ptr<TcpConnection> connection) override {
    ++arrived;
    if (refuse) return;
    held = std::move(connection);
    if (hears) held->hear(*this);
  }
  void tcp_connected(TcpConnection&) override { ++connected; }
  std::size_t tcp_received(TcpConnection&, Bytes bytes) override {
    const std::size_t taken = std::min(bytes.size(), appetite);
    received.insert(received.end(), bytes.begin(), bytes.begin() + static_cast<long>(taken));
    appetite -= taken;
    if (then) then();
    return taken;
  }
  void tcp_finished(TcpConnection&) override { ++finished; }
  void tcp_writable(TcpConnection&) override { ++writable; }
  void tcp_failed(TcpConnection&, const Error& why) override { failed = why.number(); }

  std::unique_ptr<TcpConnection> held;
  bool refuse = false, hears = true;
  std::size_t appetite = SIZE_MAX;
  std::function<void()> then;
  int arrived = 0, connected = 0, finished = 0, writable = 0, failed = 0;
  Frame received;
};

class LwipTcp : public LwipRig {
 protected:
  // The peer connects; from here on `seq` and `ack` are what it sends.
  void establish() {
    listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny4, kOurPort}, side));
    arrive(Segment{kTheirPort, kOurPort, 1000, 0, Segment::kSyn});
    const auto answer = segments();
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].flags, Segment::kSyn | Segment::kAck);
    EXPECT_EQ(answer[0].ack, 1001U);
    seq = 1001;
    ack = answer[0].seq + 1;
    arrive(from_peer(Segment::kAck));
    ASSERT_EQ(side.arrived, 1);
    (void)segments();
  }
  Segment from_peer(std::uint8_t flags, const Frame& data = {}) const {
    return {kTheirPort, kOurPort, seq, ack, flags, 60'000, data};
  }

  Side side;
  std::unique_ptr<TcpListener> listener;
  std::uint32_t seq = 0, ack = 0;
  struct Last {
    Side& side;
    std::unique_ptr<TcpListener>& listener;
    ~Last() {
      side.held.reset();
      listener.reset();
    }
  } last{side, listener};
};

}  // namespace vif::test
