// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_tcp.hpp"

#include "netstack/lwip/lwip_headers.hpp"

namespace vif::net::lwip {
namespace {

constexpr int kTcpPollHalfSeconds = 4;  // how often lwIP offers room again when no ACK does

Endpoint endpoint(const ip_addr_t& address, u16_t port) { return {from_lwip(address), port}; }

}  // namespace

// Stands on the stack while callbacks may destroy the connection; those further out are told, too.
struct TcpConnection::Scope {
  // Apart from its callers, as g++ 12 takes the address that is withdrawn below for one left dangling.
  [[gnu::noinline]] explicit Scope(TcpConnection& connection_in)
      : connection(&connection_in), outer(connection_in.scope_) {
    connection->scope_ = this;
  }
  ~Scope() {
    if (connection != nullptr) connection->scope_ = outer;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  bool gone() const { return connection == nullptr; }
  // What a callback of lwIP's has to return.
  err_t answer() const { return aborted ? ERR_ABRT : ERR_OK; }

  TcpConnection* connection;
  Scope* outer;
  bool aborted = false;
};

struct TcpConnection::Callbacks {
  static err_t connected(void* self, tcp_pcb*, err_t) {
    auto& c = *static_cast<TcpConnection*>(self);
    Scope scope(c);
    c.events_->tcp_connected(c);
    return scope.answer();
  }

  static err_t received(void* self, tcp_pcb*, pbuf* p, err_t) {
    auto& c = *static_cast<TcpConnection*>(self);
    Scope scope(c);
    if (p == nullptr) c.finished_ = true;
    else if (c.pending_ == nullptr) c.pending_ = p;
    else ::pbuf_cat(c.pending_, p);
    c.offer(scope);
    return scope.answer();
  }

  static err_t sent(void* self, tcp_pcb*, u16_t) { return writable(*static_cast<TcpConnection*>(self)); }
  static err_t poll(void* self, tcp_pcb*) { return writable(*static_cast<TcpConnection*>(self)); }

  static err_t writable(TcpConnection& c) {
    Scope scope(c);
    if (c.wants_room_ && c.events_ != nullptr && c.room() > 0) {
      c.wants_room_ = false;
      c.events_->tcp_writable(c);
    }
    return scope.answer();
  }

  // lwIP has freed the pcb already.
  static void failed(void* self, err_t error) {
    auto& c = *static_cast<TcpConnection*>(self);
    c.pcb_ = nullptr;
    if (c.events_ == nullptr) return void(c.error_ = error);
    tell_failed(c, error);
  }

  // A refused connect comes as a reset like any other.
  static void tell_failed(TcpConnection& c, err_t error) {
    c.events_->tcp_failed(c, lwip_error(error, "the connection is over"));
  }
};

TcpConnection::TcpConnection(LwipStack& stack, tcp_pcb* pcb, TcpEvents* events)
    : stack_(stack), pcb_(pcb), events_(events) {
  ::tcp_arg(pcb_, this);
  ::tcp_recv(pcb_, Callbacks::received);
  ::tcp_sent(pcb_, Callbacks::sent);
  ::tcp_poll(pcb_, Callbacks::poll, kTcpPollHalfSeconds);
  ::tcp_err(pcb_, Callbacks::failed);
}

Result<std::unique_ptr<TcpConnection>> TcpConnection::connect(LwipStack& stack, const Endpoint& to, TcpEvents& events) {
  return connect(stack, {inet::any_of(to.address), 0}, to, events);
}

Result<std::unique_ptr<TcpConnection>> TcpConnection::connect(LwipStack& stack, const Endpoint& from,
                                                              const Endpoint& to, TcpEvents& events) {
  tcp_pcb* const pcb = ::tcp_new_ip_type(to.address.is_v4() ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
  if (pcb == nullptr) return fail(std::errc::no_buffer_space, "lwIP has no memory for a connection");
  std::unique_ptr<TcpConnection> connection(new TcpConnection(stack, pcb, &events));
  if (from.port != 0 || !from.address.is_unspecified()) {
    const ip_addr_t ours = to_lwip(from.address);
    const err_t bound = ::tcp_bind(pcb, &ours, from.port);
    if (bound != ERR_OK) return lwip_error(bound, ("cannot use port " + std::to_string(from.port)).c_str());
  }
  const ip_addr_t address = to_lwip(to.address);
  const err_t error = ::tcp_connect(pcb, &address, to.port, Callbacks::connected);
  stack.rearm();
  if (error != ERR_OK) return lwip_error(error, ("cannot connect to " + to.address.to_string()).c_str());
  return connection;
}

TcpConnection::~TcpConnection() {
  tcp_pcb* const pcb = pcb_;
  let_go();
  if (pcb != nullptr) {
    ::tcp_abort(pcb);
    stack_.rearm();
  }
  for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    scope->connection = nullptr;
    scope->aborted = pcb != nullptr;
  }
}

// Nothing of lwIP's speaks of this object any more.
void TcpConnection::let_go() {
  if (pcb_ != nullptr) {
    ::tcp_arg(pcb_, nullptr);
    ::tcp_recv(pcb_, nullptr);
    ::tcp_sent(pcb_, nullptr);
    ::tcp_poll(pcb_, nullptr, 0);
    ::tcp_err(pcb_, nullptr);
    pcb_ = nullptr;
  }
  if (pending_ != nullptr) ::pbuf_free(std::exchange(pending_, nullptr));
}

void TcpConnection::hear(TcpEvents& events) {
  events_ = &events;
  resume();
}

void TcpConnection::resume() {
  Scope scope(*this);
  offer(scope);
  if (!scope.gone()) stack_.rearm();
}

// Piece by piece, until one is not taken whole.
void TcpConnection::offer(Scope& scope) {
  if (events_ == nullptr || offering_) return;
  offering_ = true;
  while (pending_ != nullptr) {
    const Bytes piece(static_cast<const std::byte*>(pending_->payload), pending_->len);
    offered_ = static_cast<std::uint16_t>(piece.size());
    const std::size_t taken = std::min(events_->tcp_received(*this, piece), piece.size());
    if (scope.gone() || pending_ == nullptr) return;  // destroyed or closed
    if (pcb_ != nullptr) ::tcp_recved(pcb_, static_cast<u16_t>(taken));
    pending_ = ::pbuf_free_header(pending_, static_cast<u16_t>(taken));
    if (taken < piece.size()) break;
  }
  offering_ = false;
  if (pending_ == nullptr && std::exchange(finished_, false)) events_->tcp_finished(*this);
  if (scope.gone()) return;
  if (const err_t error = std::exchange(error_, ERR_OK); error != ERR_OK) Callbacks::tell_failed(*this, error);
}

std::size_t TcpConnection::room() const {
  if (pcb_ == nullptr || tcp_sndqueuelen(pcb_) >= TCP_SND_QUEUELEN) return 0;
  return tcp_sndbuf(pcb_);
}

Result<std::size_t> TcpConnection::write(Bytes bytes) {
  if (pcb_ == nullptr) return fail(std::errc::not_connected, "the connection is over");
  const std::size_t taken = std::min(bytes.size(), room());
  err_t error = ERR_OK;
  if (taken > 0) error = ::tcp_write(pcb_, bytes.data(), static_cast<u16_t>(taken), TCP_WRITE_FLAG_COPY);
  if (error != ERR_OK && error != ERR_MEM) return lwip_error(error, "cannot write");
  const std::size_t written = error == ERR_OK ? taken : 0;
  wants_room_ = written < bytes.size();
  ::tcp_output(pcb_);
  stack_.rearm();
  return written;
}

Status TcpConnection::shutdown() {
  if (pcb_ == nullptr) return fail(std::errc::not_connected, "the connection is over");
  const err_t error = ::tcp_shutdown(pcb_, 0, 1);
  stack_.rearm();
  if (error != ERR_OK) return lwip_error(error, "cannot finish sending");
  return {};
}

void TcpConnection::close() {
  tcp_pcb* const pcb = pcb_;
  let_go();
  if (pcb == nullptr) return;
  if (offering_) ::tcp_recved(pcb, offered_);
  if (::tcp_close(pcb) != ERR_OK) {  // no memory for a FIN
    ::tcp_abort(pcb);
    for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) scope->aborted = true;
  }
  stack_.rearm();
}

Endpoint TcpConnection::local() const {
  return pcb_ == nullptr ? Endpoint{inet::kAny4} : endpoint(pcb_->local_ip, pcb_->local_port);
}
Endpoint TcpConnection::remote() const {
  return pcb_ == nullptr ? Endpoint{inet::kAny4} : endpoint(pcb_->remote_ip, pcb_->remote_port);
}

struct TcpListener::Callbacks {
  static err_t accepted(void* self, tcp_pcb* pcb, err_t error) {
    if (error != ERR_OK || pcb == nullptr) return ERR_VAL;
    auto& listener = *static_cast<TcpListener*>(self);
    std::unique_ptr<TcpConnection> connection(new TcpConnection(listener.stack_, pcb, nullptr));
    TcpConnection::Scope scope(*connection);
    listener.acceptor_.tcp_arrived(std::move(connection));
    return scope.answer();
  }
};

Result<std::unique_ptr<TcpListener>> TcpListener::listen(LwipStack& stack, const Endpoint& at, TcpAcceptor& acceptor,
                                                         bool reuse) {
  const bool any = at.address == inet::kAny6;
  tcp_pcb* const pcb = ::tcp_new_ip_type(any ? IPADDR_TYPE_ANY : at.address.is_v4() ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
  if (pcb == nullptr) return fail(std::errc::no_buffer_space, "lwIP has no memory for a listener");
  if (reuse) ip_set_option(pcb, SOF_REUSEADDR);
  const ip_addr_t address = to_lwip(at.address);
  if (const err_t error = ::tcp_bind(pcb, any ? IP_ANY_TYPE : &address, at.port); error != ERR_OK) {
    ::tcp_abort(pcb);
    return lwip_error(error, ("cannot listen on port " + std::to_string(at.port)).c_str());
  }
  err_t error = ERR_OK;
  tcp_pcb* const listening = ::tcp_listen_with_backlog_and_err(pcb, TCP_DEFAULT_LISTEN_BACKLOG, &error);
  if (listening == nullptr) {
    ::tcp_abort(pcb);
    return lwip_error(error, "cannot listen");
  }
  std::unique_ptr<TcpListener> listener(new TcpListener(stack, acceptor));
  listener->pcb_ = listening;
  ::tcp_arg(listening, listener.get());
  ::tcp_accept(listening, Callbacks::accepted);
  return listener;
}

TcpListener::~TcpListener() {
  if (pcb_ == nullptr) return;
  ::tcp_arg(pcb_, nullptr);
  ::tcp_accept(pcb_, nullptr);
  ::tcp_close(pcb_);
}

std::uint16_t TcpListener::port() const { return pcb_->local_port; }

}  // namespace vif::net::lwip
