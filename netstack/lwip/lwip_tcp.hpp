// SPDX-License-Identifier: BSD-2-Clause
// TCP over lwIP, with callbacks. Everything on the domain's thread; callbacks come from inside its poll, and may write,
// close and destroy whatever they like, also the connection they speak of.
#pragma once

#include <cstdint>
#include <memory>

#include "netstack/inet/ip_address.hpp"
#include "netstack/lwip/lwip_stack.hpp"

struct pbuf;
struct tcp_pcb;

namespace vif::net::lwip {

class TcpConnection;

struct Endpoint {
  inet::IpAddress address;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// How lwIP treats one connection; as it does when nothing is said.
struct TcpOptions {
  bool no_delay = false;                   // small segments do not wait for an ACK (RFC 896)
  bool keep_alive = false;                 // RFC 1122, 4.2.3.6
  std::uint32_t keep_idle_ms = 7'200'000;  // without a segment, before the first probe
  std::uint32_t keep_interval_ms = 75'000;
  std::uint32_t keep_probes = 9;  // unanswered, until the connection is over
  std::uint8_t ttl = 255;         // or IPv6's hop limit
  std::uint8_t tos = 0;           // or IPv6's traffic class
};

// RFC 9293, 3.3.2.
enum class TcpState : std::uint8_t {
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};

// Where a connection stands just now. Bytes and milliseconds.
struct TcpInfo {
  TcpState state = TcpState::closed;
  std::uint32_t mss = 0, cwnd = 0, ssthresh = 0, peer_window = 0;
  std::uint32_t unsent = 0, unacked = 0;  // written: not on the wire yet; there, and not acknowledged
  std::uint32_t unread = 0;               // received, not taken
  std::uint32_t rto_ms = 0, rtt_ms = 0;
  std::uint32_t retransmits = 0;  // of the oldest unacknowledged segment
};

// What happens to a connection.
class TcpEvents {
 public:
  virtual ~TcpEvents() = default;
  // connect() came to its end; not called for accepted ones.
  virtual void tcp_connected(TcpConnection& connection) = 0;
  // Returns how many of the bytes it takes. The rest keeps the peer's window closed, and is offered again by resume().
  virtual std::size_t tcp_received(TcpConnection& connection, Bytes bytes) = 0;
  // The peer has sent all it had; sending goes on until close().
  virtual void tcp_finished(TcpConnection& connection) = 0;
  // write() takes more, after it took less than it was given.
  virtual void tcp_writable(TcpConnection& connection) = 0;
  // It is over: ECONNRESET, ECONNABORTED, ETIMEDOUT, ECONNREFUSED (connect), EHOSTUNREACH. The last call about it.
  virtual void tcp_failed(TcpConnection& connection, const Error& why) = 0;
};

class VIF_API TcpConnection {
 public:
  // Begins to connect. ENOBUFS, EHOSTUNREACH (no interface for it). `events` outlives the connection, which must be
  // gone before the stack.
  static Result<std::unique_ptr<TcpConnection>> connect(LwipStack& stack, const Endpoint& to, TcpEvents& events);
  // The same from an address and port of ours; either may be unspecified (port 0). EADDRINUSE.
  static Result<std::unique_ptr<TcpConnection>> connect(LwipStack& stack, const Endpoint& from, const Endpoint& to,
                                                        TcpEvents& events);
  // Resets the connection unless it was closed.
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Who hears of it from now on; outlives it. What came before, of an accepted one, is told at once: bytes, and the
  // end.
  void hear(TcpEvents& events);

  // Copies as much as there is room for and sends it; returns how much. ENOTCONN: it is over, closed or not there yet.
  Result<std::size_t> write(Bytes bytes);
  // What write() would take just now.
  std::size_t room() const;
  // Offers again what tcp_received did not take.
  void resume();
  // Sends what was written and then FIN; receiving goes on. ENOTCONN.
  Status shutdown();
  // The same, and nothing more is heard of it: destroy it at leisure. What was received and not taken resets it; called
  // from inside tcp_received, it takes what that was given.
  void close();

  // From the next segment on; nothing when it is over.
  void set(const TcpOptions& options);
  TcpInfo read() const;

  Endpoint local() const;  // 0.0.0.0:0 when it is over
  Endpoint remote() const;

 private:
  friend class TcpListener;
  struct Callbacks;
  struct Scope;
  TcpConnection(LwipStack& stack, tcp_pcb* pcb, TcpEvents* events);

  void offer(Scope& scope);
  void let_go();

  LwipStack& stack_;
  tcp_pcb* pcb_;               // null: over or closed
  TcpEvents* events_;          // null: accepted, and nobody hears of it yet
  pbuf* pending_ = nullptr;    // received, not taken
  bool finished_ = false;      // the peer's FIN has come, and nobody was told
  std::int8_t error_ = 0;      // lwIP's, why it is over, and nobody was told
  bool wants_room_ = false;    // a write() took less than all
  bool offering_ = false;      // offer() is on the stack
  std::uint16_t offered_ = 0;  // the bytes it speaks of just now
  Scope* scope_ = nullptr;     // the innermost of our calls on the stack, to be told when this is destroyed in it
};

// What comes to a listener.
class TcpAcceptor {
 public:
  virtual ~TcpAcceptor() = default;
  // Keeps the connection, and says with hear() who hears of it. Dropping it resets it.
  virtual void tcp_arrived(std::unique_ptr<TcpConnection> connection) = 0;
};

class VIF_API TcpListener {
 public:
  // EADDRINUSE, ENOBUFS. Any address: :: listens for IPv6 and IPv4, 0.0.0.0 for IPv4. Port 0: lwIP chooses one.
  // `reuse`: also while earlier connections there wait out their time (RFC 9293, 3.6.1), or are another's that may.
  static Result<std::unique_ptr<TcpListener>> listen(LwipStack& stack, const Endpoint& at, TcpAcceptor& acceptor,
                                                     bool reuse = false);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  std::uint16_t port() const;

 private:
  struct Callbacks;
  TcpListener(LwipStack& stack, TcpAcceptor& acceptor) : stack_(stack), acceptor_(acceptor) {}

  LwipStack& stack_;
  TcpAcceptor& acceptor_;
  tcp_pcb* pcb_ = nullptr;
};

}  // namespace vif::net::lwip
