// SPDX-License-Identifier: BSD-2-Clause
// UDP: datagrams wait in a queue of the socket's, as lwIP keeps none.
#include <poll.h>

#include <algorithm>
#include <deque>

#include "hypercall/packetdrill/socket.hpp"
#include "netstack/lwip/lwip_udp.hpp"

namespace vif::host::packetdrill {
namespace {

class DatagramSocket final : public Socket, private net::lwip::UdpEvents {
 public:
  static constexpr std::size_t kWaitingMax = 256;  // datagrams; more are dropped

  using Socket::Socket;

  int type() const override { return SOCK_DGRAM; }
  Answer listen(int) override { return -EOPNOTSUPP; }
  std::unique_ptr<Socket> accept() override { return nullptr; }

  // Whom it sends to, and hears from; also once more.
  Answer connect(const Endpoint& to) override {
    if (const Answer opened = open(); opened != 0) return opened;
    peer_ = to;
    if (local_.address.is_unspecified()) local_.address = machine.source_for(to.address);
    return 0;
  }

  Answer receive(MutBytes into, const ReceiveAs& as, Received& received) override {
    // Who asks is to be told of: from here on it has a port.
    if (const Answer opened = open(); opened != 0) return opened;
    if (read_shut_ && waiting_.empty()) return 0;
    if (waiting_.empty()) return -EAGAIN;
    const Datagram& oldest = waiting_.front();
    const std::size_t whole = oldest.bytes.size(), taken = std::min(whole, into.size());
    if (taken > 0) std::memcpy(into.data(), oldest.bytes.data(), taken);
    received = {oldest.from, taken < whole};
    if (!as.peek) waiting_.pop_front();
    return static_cast<Answer>(as.whole_length ? whole : taken);
  }

  Answer send(Bytes bytes, const std::optional<Endpoint>& to) override {
    if (write_shut_) return -EPIPE;
    if (!to && !peer_) return -EDESTADDRREQ;
    if (const Answer opened = open(); opened != 0) return opened;
    if (Status sent = socket_->send_to(to ? *to : *peer_, bytes); !sent) {
      return sent.error().number() == EHOSTUNREACH ? -ENETUNREACH : -sent.error().number();
    }
    return static_cast<Answer>(bytes.size());
  }

  Answer shutdown(int how) override {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    if (!peer_) return -ENOTCONN;
    if (how != SHUT_WR) read_shut_ = true;
    if (how != SHUT_RD) write_shut_ = true;
    return 0;
  }

  short events() const override {
    int found = write_shut_ && read_shut_ ? POLLHUP : 0;
    if (!waiting_.empty() || read_shut_) found |= POLLIN | POLLRDNORM;
    if (read_shut_) found |= POLLRDHUP;
    return static_cast<short>(found | POLLOUT | POLLWRNORM);
  }
  std::size_t unread() const override { return waiting_.empty() ? 0 : waiting_.front().bytes.size(); }

  void apply() override {
    if (bound()) (void)open();
  }

 private:
  struct Datagram {
    Endpoint from;
    std::vector<std::byte> bytes;
  };

  Answer open() {
    if (socket_) return 0;
    auto made = net::lwip::UdpSocket::open(machine.stack(), local_, *this);
    if (!made) return -made.error().number();
    socket_ = std::move(*made);
    local_.port = socket_->port();
    return 0;
  }

  void udp_received(net::lwip::UdpSocket&, const Endpoint& from, Bytes datagram) override {
    if (read_shut_ || (peer_ && *peer_ != from) || waiting_.size() == kWaitingMax) return;
    waiting_.push_back({from, {datagram.begin(), datagram.end()}});
  }

  std::deque<Datagram> waiting_;
  bool read_shut_ = false, write_shut_ = false;
  std::unique_ptr<net::lwip::UdpSocket> socket_;
};

}  // namespace

std::unique_ptr<Socket> udp_socket(Machine& machine, int family) {
  return std::make_unique<DatagramSocket>(machine, family);
}

}  // namespace vif::host::packetdrill
