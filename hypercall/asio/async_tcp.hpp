// SPDX-License-Identifier: BSD-2-Clause
// TCP over lwIP with completion tokens (use_awaitable, use_future, callbacks): an AsyncReadStream and AsyncWriteStream
// of Asio's, so that async_read_until, async_write and the like work on it. Needs libvirtif-lwip. The loop's thread.
//
// One read, one write, one connect and one close may wait at a time (else EALREADY); each can be cancelled, and is when
// its object goes. Buffers are borrowed until completion. Lifetimes: see loop_on_asio.hpp.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <deque>

#include "hypercall/asio/waiting_handler.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::host {

class AsyncTcp {
 public:
  using executor_type = LoopOnAsio::Executor;

  AsyncTcp() = default;  // to be assigned to
  explicit AsyncTcp(LoopOnAsio& home) : state_(std::make_unique<State>(home)) {}

  executor_type get_executor() { return state_->home.executor(); }

  // void(error_code): connected, or why not (ECONNRESET: refused; ECONNABORTED: nobody answers; EHOSTUNREACH).
  template <class Token>
  auto async_connect(net::lwip::LwipStack& stack, const net::lwip::Endpoint& to, Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError)>(
        [](auto handler, State* state, net::lwip::LwipStack* on, const net::lwip::Endpoint& where) {
          state->connect(std::move(handler), *on, where);
        },
        token, state_.get(), &stack, to);
  }
  // void(error_code, size_t): at least a byte, or error::eof.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError, std::size_t)>(
        [](auto handler, State* state, boost::asio::mutable_buffer into) { state->read(std::move(handler), into); },
        token, state_.get(), first<boost::asio::mutable_buffer>(buffers));
  }
  // void(error_code, size_t): at least a byte was copied for sending.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError, std::size_t)>(
        [](auto handler, State* state, boost::asio::const_buffer from) { state->write(std::move(handler), from); },
        token, state_.get(), first<boost::asio::const_buffer>(buffers));
  }
  // void(error_code): all that was written and FIN are on their way, and the peer has finished, too; what it still sent
  // was dropped. A peer that does not finish keeps it waiting: cancel it, or close().
  template <class Token>
  auto async_close(Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError)>(
        [](auto handler, State* state) { state->finish(std::move(handler)); }, token, state_.get());
  }

  // Completes what waits with error::operation_aborted.
  void cancel() { state_->fail(boost::asio::error::operation_aborted); }
  // Ends in order what was written, hears nothing more, and cancels.
  void close() {
    if (state_->connection) state_->connection->close();
    state_->connection.reset();
    state_->home.soon();
    cancel();
  }
  net::lwip::Endpoint local() const { return state_->connection ? state_->connection->local() : net::lwip::Endpoint{}; }
  net::lwip::Endpoint remote() const {
    return state_->connection ? state_->connection->remote() : net::lwip::Endpoint{};
  }

 private:
  friend class AsyncTcpListener;

  struct State final : net::lwip::TcpEvents {
    explicit State(LoopOnAsio& home_in) : home(home_in) {}

    template <class Handler>
    void connect(Handler handler, net::lwip::LwipStack& stack, const net::lwip::Endpoint& to) {
      if (!connecting.begin(std::move(handler))) return;
      auto made = net::lwip::TcpConnection::connect(stack, to, *this);
      if (!made) return connecting.complete(asio_error(made.error()));
      connection = std::move(*made);
      over.clear();
      finished = false;
      home.soon();
    }
    template <class Handler>
    void read(Handler handler, boost::asio::mutable_buffer buffer) {
      if (!reading.begin(std::move(handler))) return;
      into = buffer;
      if (buffer.size() == 0) return reading.complete({}, 0);
      if (!connection) return reading.complete(asio_error(ENOTCONN), 0);
      connection->resume();
      if (finished) reading.complete(boost::asio::error::eof, 0);
      else if (over) reading.complete(over, 0);
      home.soon();
    }
    template <class Handler>
    void write(Handler handler, boost::asio::const_buffer buffer) {
      if (!writing.begin(std::move(handler))) return;
      from = buffer;
      write_some();
      home.soon();
    }
    template <class Handler>
    void finish(Handler handler) {
      if (!closing.begin(std::move(handler))) return;
      if (!connection || over) return closing.complete(connection ? over : asio_error(ENOTCONN));
      if (Status ok = connection->shutdown(); !ok) return closing.complete(asio_error(ok.error()));
      connection->resume();  // what has come is dropped
      if (finished) end();
      home.soon();
    }

    void write_some() {
      if (!writing.waits()) return;
      if (over || !connection) return writing.complete(over ? over : asio_error(ENOTCONN), 0);
      const auto written = connection->write({static_cast<const std::byte*>(from.data()), from.size()});
      if (!written) writing.complete(asio_error(written.error()), 0);
      else if (*written > 0 || from.size() == 0) writing.complete({}, *written);
    }
    void end() {
      connection->close();
      closing.complete({});
      fail(boost::asio::error::operation_aborted);
    }
    void fail(const AsioError& error) {
      connecting.complete(error);
      reading.complete(error, 0);
      writing.complete(error, 0);
      closing.complete(error);
    }

    void tcp_connected(net::lwip::TcpConnection&) override { connecting.complete({}); }
    std::size_t tcp_received(net::lwip::TcpConnection&, Bytes bytes) override {
      if (closing.waits()) return bytes.size();
      if (!reading.waits()) return 0;
      const std::size_t taken = std::min(bytes.size(), into.size());
      std::memcpy(into.data(), bytes.data(), taken);
      reading.complete({}, taken);
      return taken;
    }
    void tcp_finished(net::lwip::TcpConnection&) override {
      finished = true;
      reading.complete(boost::asio::error::eof, 0);
      if (closing.waits()) end();
    }
    void tcp_writable(net::lwip::TcpConnection&) override { write_some(); }
    void tcp_failed(net::lwip::TcpConnection&, const Error& why) override {
      over = asio_error(why);
      fail(over);
    }

    LoopOnAsio& home;
    std::unique_ptr<net::lwip::TcpConnection> connection;
    WaitingHandler<> connecting{home}, closing{home};
    WaitingHandler<std::size_t> reading{home}, writing{home};
    boost::asio::mutable_buffer into;
    boost::asio::const_buffer from;
    AsioError over;         // why there is nothing more
    bool finished = false;  // the peer
  };

  AsyncTcp(LoopOnAsio& home, std::unique_ptr<net::lwip::TcpConnection> accepted) : AsyncTcp(home) {
    state_->connection = std::move(accepted);
    state_->connection->hear(*state_);
  }

  // The first buffer that is not empty: what "some" means here.
  template <class Buffer, class Buffers>
  static Buffer first(const Buffers& buffers) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
      if (Buffer(*at).size() > 0) return Buffer(*at);
    }
    return {};
  }

  std::unique_ptr<State> state_;
};

class AsyncTcpListener {
 public:
  static constexpr std::size_t kWaitingMax = 128;  // connections nobody has accepted yet; one more is reset

  // Errors and addresses: as TcpListener::listen.
  static Result<AsyncTcpListener> listen(LoopOnAsio& home, net::lwip::LwipStack& stack, const net::lwip::Endpoint& at) {
    auto state = std::make_unique<State>(home);
    auto listener = net::lwip::TcpListener::listen(stack, at, *state);
    if (!listener) return std::move(listener).error();
    state->listener = std::move(*listener);
    return AsyncTcpListener(std::move(state));
  }

  // void(error_code, AsyncTcp): the oldest that waits, or the next. Cancelled when the listener goes.
  template <class Token>
  auto async_accept(Token&& token) {
    return boost::asio::async_initiate<Token, void(AsioError, AsyncTcp)>(
        [](auto handler, State* state) { state->accept(std::move(handler)); }, token, state_.get());
  }
  void cancel() { state_->accepting.cancel(); }
  std::uint16_t port() const { return state_->listener->port(); }
  std::uint64_t refused() const { return state_->refused; }  // beyond kWaitingMax

 private:
  struct State final : net::lwip::TcpAcceptor {
    explicit State(LoopOnAsio& home_in) : home(home_in) {}

    template <class Handler>
    void accept(Handler handler) {
      if (accepting.begin(std::move(handler))) hand_over();
    }
    void hand_over() {
      if (!accepting.waits() || arrived.empty()) return;
      AsyncTcp next(home, std::move(arrived.front()));
      arrived.pop_front();
      accepting.complete({}, std::move(next));
    }
    void tcp_arrived(std::unique_ptr<net::lwip::TcpConnection> connection) override {
      if (arrived.size() == kWaitingMax) return void(++refused);
      arrived.push_back(std::move(connection));
      hand_over();
    }

    LoopOnAsio& home;
    WaitingHandler<AsyncTcp> accepting{home};
    std::deque<std::unique_ptr<net::lwip::TcpConnection>> arrived;
    std::unique_ptr<net::lwip::TcpListener> listener;
    std::uint64_t refused = 0;
  };

  explicit AsyncTcpListener(std::unique_ptr<State> state) : state_(std::move(state)) {}

  std::unique_ptr<State> state_;
};

}  // namespace vif::host
