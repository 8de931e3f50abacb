// SPDX-License-Identifier: BSD-2-Clause
// UDP over lwIP with completion tokens. Needs libvirtif-lwip. The loop's thread; lifetimes: see loop_on_asio.hpp.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <deque>

#include "hypercall/asio/waiting_handler.hpp"
#include "netstack/lwip/lwip_udp.hpp"

namespace vif::host {

class AsyncUdp {
 public:
  using executor_type = LoopOnAsio::Executor;
  static constexpr std::size_t kWaitingMax = 64;  // datagrams nobody has received yet; one more is dropped

  // Errors and addresses: as UdpSocket::open.
  static Result<AsyncUdp> open(LoopOnAsio& home, net::lwip::LwipStack& stack, const net::lwip::Endpoint& at) {
    auto state = std::make_unique<State>(home);
    auto socket = net::lwip::UdpSocket::open(stack, at, *state);
    if (!socket) return std::move(socket).error();
    state->socket = std::move(*socket);
    return AsyncUdp(std::move(state));
  }

  executor_type get_executor() { return state_->home.executor(); }

  // void(error_code, size_t): the oldest datagram that waits, or the next, cut to the buffer. One may wait at a time
  // (else EALREADY); `from` and the buffer are borrowed until completion.
  template <class Token>
  auto async_receive_from(boost::asio::mutable_buffer buffer, net::lwip::Endpoint& from, Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError, std::size_t)>(
        [](auto handler, State* state, boost::asio::mutable_buffer into, net::lwip::Endpoint* whom) {
          state->receive(std::move(handler), into, *whom);
        },
        token, state_.get(), buffer, &from);
  }
  // void(error_code, size_t): sent, or why not, as UdpSocket::send_to. One may wait at a time.
  template <class Token>
  auto async_send_to(boost::asio::const_buffer datagram, const net::lwip::Endpoint& to, Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError, std::size_t)>(
        [](auto handler, State* state, boost::asio::const_buffer what, const net::lwip::Endpoint& whom) {
          state->send(std::move(handler), what, whom);
        },
        token, state_.get(), datagram, to);
  }

  void cancel() { state_->receiving.cancel(); }
  std::uint16_t port() const { return state_->socket->port(); }
  std::uint64_t dropped() const { return state_->dropped; }  // beyond kWaitingMax

 private:
  struct Datagram {
    net::lwip::Endpoint from;
    std::vector<std::byte> bytes;
  };

  struct State final : net::lwip::UdpEvents {
    explicit State(LoopOnAsio& home_in) : home(home_in) {}

    template <class Handler>
    void receive(Handler handler, boost::asio::mutable_buffer buffer, net::lwip::Endpoint& whom) {
      if (!receiving.begin(std::move(handler))) return;
      into = buffer;
      from = &whom;
      if (arrived.empty()) return;
      hand_over(arrived.front().from, arrived.front().bytes);
      arrived.pop_front();
    }
    template <class Handler>
    void send(Handler handler, boost::asio::const_buffer datagram, const net::lwip::Endpoint& to) {
      if (!sending.begin(std::move(handler))) return;
      const Status sent = socket->send_to(to, {static_cast<const std::byte*>(datagram.data()), datagram.size()});
      sending.complete(sent ? AsioError() : asio_error(sent.error()), sent ? datagram.size() : 0);
      home.soon();
    }
    void hand_over(const net::lwip::Endpoint& whom, Bytes bytes) {
      *from = whom;
      const std::size_t taken = std::min(bytes.size(), into.size());
      std::memcpy(into.data(), bytes.data(), taken);
      receiving.complete({}, taken);
    }
    void udp_received(net::lwip::UdpSocket&, const net::lwip::Endpoint& whom, Bytes bytes) override {
      if (receiving.waits()) return hand_over(whom, bytes);
      if (arrived.size() == kWaitingMax) return void(++dropped);
      arrived.push_back({whom, {bytes.begin(), bytes.end()}});
    }

    LoopOnAsio& home;
    WaitingHandler<std::size_t> receiving{home}, sending{home};
    boost::asio::mutable_buffer into;
    net::lwip::Endpoint* from = nullptr;
    std::deque<Datagram> arrived;
    std::uint64_t dropped = 0;
    std::unique_ptr<net::lwip::UdpSocket> socket;
  };

  explicit AsyncUdp(std::unique_ptr<State> state) : state_(std::move(state)) {}

  std::unique_ptr<State> state_;
};

}  // namespace vif::host
