// SPDX-License-Identifier: BSD-2-Clause
// TCP: what was received stays in lwIP's hands until it is read, and keeps the window closed as far.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>

#include "hypercall/packetdrill/socket.hpp"

namespace vif::host::packetdrill {
namespace {

using net::lwip::TcpConnection;
using net::lwip::TcpListener;

class TcpSocket final : public Socket, private net::lwip::TcpEvents, private net::lwip::TcpAcceptor {
 public:
  using Socket::Socket;
  // One that was accepted.
  TcpSocket(const TcpSocket& listener, std::unique_ptr<TcpConnection> connection)
      : Socket(listener.machine, listener.family), state_(State::open), connection_(std::move(connection)) {
    settings.tcp = listener.settings.tcp;
    local_ = connection_->local();
    peer_ = connection_->remote();
    apply();
    connection_->hear(*this);
  }
  ~TcpSocket() override {
    if (connection_ && !settings.reset_on_close) connection_->close();
  }

  int type() const override { return SOCK_STREAM; }
  bool listening() const override { return listener_ != nullptr; }

  Answer listen(int backlog) override {
    if (state_ != State::fresh) return -EINVAL;
    if (listener_) return 0;
    backlog_ = static_cast<std::size_t>(std::max(backlog, 0)) + 1;
    auto made = TcpListener::listen(machine.stack(), local_, *this, settings.reuse_address);
    if (!made) return -made.error().number();
    listener_ = std::move(*made);
    local_.port = listener_->port();
    return 0;
  }

  std::unique_ptr<Socket> accept() override {
    if (arrived_.empty()) return nullptr;
    std::unique_ptr<Socket> oldest = std::move(arrived_.front());
    arrived_.pop_front();
    return oldest;
  }

  Answer connect(const Endpoint& to) override {
    if (listener_ || state_ == State::open) return -EISCONN;
    if (state_ == State::connecting) return -EALREADY;
    if (state_ == State::over) return error_ != 0 ? -take_error() : -ECONNABORTED;
    Endpoint from = local_;
    if (from.address.is_v4() != to.address.is_v4()) from.address = net::inet::any_of(to.address);
    auto made = TcpConnection::connect(machine.stack(), from, to, *this);
    if (!made) return made.error().number() == EHOSTUNREACH ? -ENETUNREACH : -made.error().number();
    connection_ = std::move(*made);
    state_ = State::connecting;
    local_ = connection_->local();
    peer_ = to;
    apply();
    return -EINPROGRESS;
  }

  // The connection offers its bytes again, and tcp_received() puts them here.
  Answer receive(MutBytes into, const ReceiveAs& as, Received&) override {
    if (listener_ || state_ == State::fresh) return -ENOTCONN;
    if (state_ == State::connecting) return -EAGAIN;
    if (into.empty()) return 0;
    if (!read_shut_) {
      into_ = into;
      peek_ = as.peek;
      taken_ = 0;
      if (connection_) connection_->resume();
      into_ = {};
      if (taken_ > 0) return static_cast<Answer>(taken_);
    }
    if (error_ != 0) return -take_error();
    return finished_ || read_shut_ || state_ == State::over ? 0 : -EAGAIN;
  }

  Answer send(Bytes bytes, const std::optional<Endpoint>&) override {
    if (error_ != 0) return -take_error();
    if (write_shut_ || state_ == State::over || state_ == State::fresh) return -EPIPE;
    if (state_ == State::connecting) return -EAGAIN;
    const auto written = connection_->write(bytes);
    if (!written) return -written.error().number();
    full_ = *written < bytes.size();
    return *written == 0 && !bytes.empty() ? -EAGAIN : static_cast<Answer>(*written);
  }

  Answer shutdown(int how) override {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    if (state_ != State::open) return -ENOTCONN;
    if (how != SHUT_WR) read_shut_ = true;
    if (how != SHUT_RD && !std::exchange(write_shut_, true)) {
      if (Status sent = connection_->shutdown(); !sent) return -sent.error().number();
    }
    return 0;
  }

  short events() const override {
    if (listener_) return arrived_.empty() ? 0 : POLLIN | POLLRDNORM;
    if (state_ == State::connecting) return 0;
    int found = 0;
    const bool at_end = finished_ || read_shut_ || state_ == State::over;
    if (unread() > 0 || at_end) found |= POLLIN | POLLRDNORM;
    if (at_end) found |= POLLRDHUP;
    if (error_ != 0) found |= POLLERR;
    if (state_ == State::over || state_ == State::fresh || (at_end && write_shut_)) found |= POLLHUP;
    if (state_ != State::open || write_shut_ || !full_) found |= POLLOUT | POLLWRNORM;
    return static_cast<short>(found);
  }

  std::size_t unread() const override { return connection_ ? connection_->read().unread : 0; }
  net::lwip::TcpInfo info() const override {
    if (listener_) return {.state = net::lwip::TcpState::listen};
    return connection_ ? connection_->read() : net::lwip::TcpInfo{};
  }
  void apply() override {
    if (connection_) connection_->set(settings.tcp);
  }

 private:
  enum class State { fresh, connecting, open, over };

  void tcp_connected(TcpConnection& connection) override {
    state_ = State::open;
    local_ = connection.local();
  }
  std::size_t tcp_received(TcpConnection&, Bytes bytes) override {
    const std::size_t bytes_taken = std::min(bytes.size(), into_.size());
    if (bytes_taken > 0) std::memcpy(into_.data(), bytes.data(), bytes_taken);
    into_ = into_.subspan(bytes_taken);
    taken_ += bytes_taken;
    return peek_ ? 0 : bytes_taken;
  }
  void tcp_finished(TcpConnection&) override { finished_ = true; }
  void tcp_writable(TcpConnection&) override { full_ = false; }
  void tcp_failed(TcpConnection&, const Error& why) override {
    const int number = why.number();
    const bool refused = state_ == State::connecting && number == ECONNRESET;
    // lwIP aborts what nobody answers any more.
    error_ = refused ? ECONNREFUSED : number == ECONNABORTED ? ETIMEDOUT : number;
    state_ = State::over;
  }
  void tcp_arrived(std::unique_ptr<TcpConnection> connection) override {
    if (arrived_.size() >= backlog_) return;  // destroyed, which resets it
    arrived_.push_back(std::make_unique<TcpSocket>(*this, std::move(connection)));
  }

  State state_ = State::fresh;
  std::unique_ptr<TcpConnection> connection_;
  bool finished_ = false;  // all the peer had to say is read
  bool full_ = false;      // a write took less than all
  bool read_shut_ = false, write_shut_ = false;
  MutBytes into_;  // what is left of it while receive() is on the stack
  std::size_t taken_ = 0;
  bool peek_ = false;

  std::size_t backlog_ = 0;
  std::deque<std::unique_ptr<Socket>> arrived_;
  std::unique_ptr<TcpListener> listener_;  // after what arrives at it
};

}  // namespace

std::unique_ptr<Socket> tcp_socket(Machine& machine, int family) {
  return std::make_unique<TcpSocket>(machine, family);
}

}  // namespace vif::host::packetdrill
