// SPDX-License-Identifier: BSD-2-Clause
// lwIP with the programs of the golden exchanges, each as simple as the callbacks allow.
#include <gtest/gtest.h>

#include <charconv>
#include <list>
#include <string>

#include "netstack/lwip/lwip_udp.hpp"
#include "tests/golden/hosts.hpp"

namespace vif::test {
namespace {

using namespace net::lwip;

Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// One connection, and what the program does with it.
struct Talk final : TcpEvents {
  Talk(std::uint16_t port_in, std::unique_ptr<TcpConnection> connection_in)
      : port(port_in), connection(std::move(connection_in)) {}

  void tcp_connected(TcpConnection&) override {}
  std::size_t tcp_received(TcpConnection& from, Bytes bytes) override {
    if (port == kEchoPort) (void)from.write(bytes);
    return bytes.size();
  }
  void tcp_finished(TcpConnection& from) override { from.close(); }
  void tcp_writable(TcpConnection&) override {}
  void tcp_failed(TcpConnection&, const Error&) override {}

  const std::uint16_t port;
  std::unique_ptr<TcpConnection> connection;
};

class LwipGoldenHost final : public GoldenHost, private UdpEvents {
 public:
  LwipGoldenHost(net::Domain& domain, net::Ifnet& ifp) {
    auto made = LwipStack::create(domain, {});
    EXPECT_TRUE(made) << made.error().text;
    stack_ = std::move(*made);
    EXPECT_TRUE(stack_->attach(ifp));
    for (const char* address : {kGoldenIp4, kGoldenIp6}) {
      EXPECT_TRUE(stack_->add_address(ifp, *net::inet::IpPrefix::parse(address)));
    }
    for (const std::uint16_t port : {kEchoPort, kCommandPort}) {
      udp_.push_back(std::move(*UdpSocket::open(*stack_, {net::inet::kAny6, port}, *this)));
    }
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{7, 13, 19, 20, 21})
      programs_.emplace_back(*this, port);
  }
  // Connections and sockets go before their stack.
  ~LwipGoldenHost() override {
    talks_.clear();
    programs_.clear();
    udp_.clear();
  }

 private:
  struct Program final : TcpAcceptor {
    Program(LwipGoldenHost& host_in, std::uint16_t port_in)
        : host(host_in),
          port(port_in),
          listener(std::move(*TcpListener::listen(*host.stack_, {net::inet::kAny6, port}, *this))) {}
    void tcp_arrived(std::unique_ptr<TcpConnection> connection) override {
      if (port == 21) return;  // destroyed: reset
      host.begin(port, std::move(connection));
    }
    LwipGoldenHost& host;
    const std::uint16_t port;
    std::unique_ptr<TcpListener> listener;
  };

  void begin(std::uint16_t port, std::unique_ptr<TcpConnection> made) {
    Talk& talk = talks_.emplace_back(port, std::move(made));
    TcpConnection& connection = *talk.connection;
    connection.hear(talk);
    if (port == 13) {
      (void)connection.write(as_bytes("golden exchange\n"));
      (void)connection.shutdown();
    }
    if (port == 19) {
      std::string digits;
      for (int i = 0; i < 3000; ++i) digits += static_cast<char>('0' + i % 10);
      (void)connection.write(as_bytes(digits));
    }
  }

  void udp_received(UdpSocket& socket, const Endpoint& from, Bytes datagram) override {
    if (socket.port() == kEchoPort) {
      (void)socket.send_to(from, datagram);
      return;
    }
    const std::string text(reinterpret_cast<const char*>(datagram.data()), datagram.size());
    std::uint16_t port = 0;
    std::from_chars(text.data() + text.find(' ') + 1, text.data() + text.size(), port);
    Talk& talk = talks_.emplace_back(std::uint16_t{20}, nullptr);
    auto connecting = TcpConnection::connect(*stack_, {from.address, port}, talk);
    if (connecting) talk.connection = std::move(*connecting);
  }

  std::unique_ptr<LwipStack> stack_;
  std::vector<std::unique_ptr<UdpSocket>> udp_;
  std::list<Program> programs_;
  std::list<Talk> talks_;
};

}  // namespace

std::unique_ptr<GoldenHost> lwip_host(net::Domain& domain, net::Ifnet& ifp) {
  return std::make_unique<LwipGoldenHost>(domain, ifp);
}

}  // namespace vif::test
