// SPDX-License-Identifier: BSD-2-Clause
// What hostile frames are thrown at, by the fuzzer and by seeded mutations: lwIP with a listener, an open connection
// and a UDP socket behind a scripted wire. check() holds after any frames; the destructor asks whether everything came
// back. One at a time, as there is one lwIP.
#pragma once

#include <cstdlib>

#include "netstack/lwip/lwip_udp.hpp"
#include "tests/netstack/lwip/lwip_rig.hpp"

namespace vif::test {

class LwipTarget final : net::lwip::TcpEvents, net::lwip::TcpAcceptor, net::lwip::UdpEvents {
 public:
  static constexpr std::size_t kConnectionsMax = 8;
  static constexpr std::uint16_t kOurPort = 80, kTheirPort = 4000;

  LwipTarget() {
    require(stack_->attach(ifp()).has_value());
    require(stack_->add_address(ifp(), prefix("192.0.2.1/24")).has_value());
    run(std::chrono::seconds(5));
    arrive(arp({.sender = kPeer, .target = kUs}));
    sent();
    arrive(ether(kOurMac, 0x0800, tcp(kPeer, kUs, {kTheirPort, kOurPort, 1000, 0, Segment::kSyn})));
    for (const Frame& frame : sent()) {
      if (const auto answer = segment_in(frame)) ack_ = answer->seq + 1;
    }
    arrive(ether(kOurMac, 0x0800, next({})));
    require(open_.size() == 1);
  }
  ~LwipTarget() {
    run(std::chrono::seconds(20));
    check();
    open_.clear();
    gone_.clear();
    listener_.reset();
    socket_.reset();
    stack_.reset();
    host_.settle();
    domain_.withdraw(ifp());
    port_.reset();
    require(domain_.pool().in_use() == 0);
  }
  LwipTarget(const LwipTarget&) = delete;
  LwipTarget& operator=(const LwipTarget&) = delete;

  // The next segment of the open connection, as an IPv4 packet.
  Frame next(const Frame& data) const {
    return tcp(kPeer, kUs, {kTheirPort, kOurPort, 1001, ack_, Segment::kAck | Segment::kPsh, 60'000, data});
  }
  void arrive(Frame frame, net::Offload offload = {}) {
    port_->wire.arrive(std::move(frame), offload);
    ++arrived_;
    host_.settle();
    gone_.clear();
  }
  void run(Time time) {
    host_.run_until(host_.clock.now() + time);
    gone_.clear();
  }
  std::vector<Frame> sent() { return std::exchange(port_->wire.sent, {}); }
  std::size_t heard() const { return heard_; }

  // Every frame is accounted for, and nothing has outgrown its limit.
  void check() {
    const net::IfData data = ifp().counters.read();
    require(data.received() == arrived_);
    require(open_.size() <= kConnectionsMax);
  }

 private:
  static void require(bool is_so) {
    if (!is_so) std::abort();
  }
  net::Ifnet& ifp() { return port_->ifp(); }

  void tcp_arrived(std::unique_ptr<net::lwip::TcpConnection> connection) override {
    open_.push_back(std::move(connection));
    open_.back()->hear(*this);
  }
  void tcp_connected(net::lwip::TcpConnection&) override {}
  std::size_t tcp_received(net::lwip::TcpConnection& connection, Bytes bytes) override {
    heard_ += bytes.size();
    (void)connection.write(bytes);
    return bytes.size();
  }
  void tcp_finished(net::lwip::TcpConnection& connection) override {
    connection.close();
    retire(connection);
  }
  void tcp_writable(net::lwip::TcpConnection&) override {}
  void tcp_failed(net::lwip::TcpConnection& connection, const Error&) override { retire(connection); }
  void udp_received(net::lwip::UdpSocket& socket, const Endpoint& from, Bytes datagram) override {
    (void)socket.send_to(from, datagram);
  }
  void retire(const net::lwip::TcpConnection& connection) {
    const auto at = std::find_if(open_.begin(), open_.end(), [&](const auto& one) { return one.get() == &connection; });
    if (at == open_.end()) return;
    gone_.push_back(std::move(*at));
    open_.erase(at);
  }

  host::sim::SimHost host_{1};
  host::sim::SimWires wires_;
  net::Domain& domain_ = host_.add_domain({.pool = {.counts = {512, 32, 16, 4}, .external = 0}});
  std::unique_ptr<Port> port_ = std::make_unique<Port>(domain_, wires_, 0, kOurMac);
  std::unique_ptr<LwipStack> stack_ = std::move(*LwipStack::create(domain_, {.connections_max = kConnectionsMax}));
  std::unique_ptr<net::lwip::TcpListener> listener_ =
      std::move(*net::lwip::TcpListener::listen(*stack_, {net::inet::kAny6, kOurPort}, *this));
  std::unique_ptr<net::lwip::UdpSocket> socket_ =
      std::move(*net::lwip::UdpSocket::open(*stack_, {net::inet::kAny6, 7}, *this));
  std::vector<std::unique_ptr<net::lwip::TcpConnection>> open_, gone_;
  std::uint32_t ack_ = 0;
  std::size_t arrived_ = 0, heard_ = 0;
};

// What a sender would have put into the checksum fields, as far as the frame has them.
inline void correct_checksums(Frame& frame) {
  constexpr std::size_t kIpAt = net::kEtherHeaderBytes;
  if (frame.size() < kIpAt + 40) return;
  const bool v4 = be16_at(frame, 12) == 0x0800;
  if (!v4 && be16_at(frame, 12) != 0x86dd) return;
  std::size_t at = kIpAt + 40;
  auto protocol = std::to_integer<std::uint8_t>(frame[kIpAt + (v4 ? 9 : 6)]);
  std::size_t bytes = be16_at(frame, kIpAt + 4);
  if (v4) {
    at = kIpAt + (std::to_integer<std::size_t>(frame[kIpAt]) & 15) * 4;
    if (at > frame.size()) return;
    put16(frame, kIpAt + 10, 0);
    put16(frame, kIpAt + 10, plain_checksum(cut(frame, kIpAt, at - kIpAt)));
    bytes = be16_at(frame, kIpAt + 2) - std::min<std::size_t>(at - kIpAt, be16_at(frame, kIpAt + 2));
  }
  const std::size_t sum_at = at + (protocol == 6 ? 16 : protocol == 17 ? 6 : 2);
  if ((protocol != 1 && protocol != 6 && protocol != 17 && protocol != 58) || sum_at + 2 > frame.size()) return;
  Frame covered = v4 ? cut(frame, kIpAt + 12, 8) : cut(frame, kIpAt + 8, 32);
  covered = protocol == 1 ? Frame() : covered + be32(static_cast<std::uint32_t>(bytes)) + be32(protocol);
  put16(frame, sum_at, 0);
  put16(frame, sum_at, plain_checksum(covered + cut(frame, at, bytes)));
}

}  // namespace vif::test
