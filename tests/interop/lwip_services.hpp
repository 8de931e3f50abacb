// SPDX-License-Identifier: BSD-2-Clause
// The small services of lwip_host: HTTP, and RFC 862 echo, 863 discard and 864 chargen over TCP, echo over UDP. Each
// connection is a session that its service owns; a session may end itself from inside any callback. Domain's thread.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/lwip/lwip_udp.hpp"

namespace vif::test {

using net::lwip::Endpoint;
using net::lwip::LwipStack;
using net::lwip::TcpConnection;
using net::lwip::UdpSocket;

// What bodies and chargen are made of: byte i is i * 7 + i / 256. Repeats after 65536 bytes.
class Pattern {
 public:
  Pattern() : bytes_(2 * kPeriod) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(i * 7 + (i % kPeriod) / 256);
  }
  // At most a period of it from byte `at` on.
  Bytes from(std::uint64_t at, std::uint64_t bytes = kPeriod) const {
    return Bytes(bytes_).subspan(at % kPeriod, std::min<std::uint64_t>(bytes, kPeriod));
  }

 private:
  static constexpr std::size_t kPeriod = 65'536;
  std::vector<std::byte> bytes_;
};

struct Counts {
  std::uint64_t accepted = 0, failed = 0, discarded = 0, requests = 0;
  std::uint64_t udp_received = 0, udp_sent = 0, udp_refused = 0;
};

// What every session needs from where it lives.
struct Shop {
  LwipStack& stack;
  Counts counts = {};
  Pattern pattern = {};
};

// What one connection is for. After each call the service asks over(), and then closes it.
class Session {
 public:
  Session(Shop& shop, TcpConnection& connection) : shop_(shop), connection_(connection) {}
  virtual ~Session() = default;
  virtual std::size_t received(Bytes bytes) = 0;  // how much it takes
  virtual void writable() {}                      // and offered again is what it did not take
  virtual void finished() { over_ = true; }       // all was taken before, and what was written will be sent
  bool over() const { return over_; }

 protected:
  Shop& shop_;
  TcpConnection& connection_;
  bool over_ = false;
};

template <class Kind>
class TcpService final : net::lwip::TcpAcceptor {
 public:
  TcpService(Shop& shop, std::uint16_t port)
      : shop_(shop), listener_(net::lwip::TcpListener::listen(shop.stack, {net::inet::kAny6, port}, *this)) {}

  Status usable() const { return listener_ ? Status() : listener_.error(); }

 private:
  struct Held final : net::lwip::TcpEvents {
    Held(TcpService& home_in, std::unique_ptr<TcpConnection> connection_in)
        : home(home_in), connection(std::move(connection_in)), session(home.shop_, *connection) {}

    void tcp_connected(TcpConnection&) override {}
    std::size_t tcp_received(TcpConnection&, Bytes bytes) override {
      const std::size_t taken = session.received(bytes);
      end_if_over();
      return taken;
    }
    void tcp_writable(TcpConnection&) override {
      session.writable();
      if (session.over()) end_if_over();
      else connection->resume();  // last, as it may end the session
    }
    void tcp_finished(TcpConnection&) override {
      session.finished();
      end_if_over();
    }
    void tcp_failed(TcpConnection&, const Error&) override {
      ++home.shop_.counts.failed;
      home.held_.erase(at);
    }
    void end_if_over() {
      if (!session.over()) return;
      connection->close();
      home.held_.erase(at);
    }

    TcpService& home;
    std::unique_ptr<TcpConnection> connection;
    Kind session;
    typename std::list<Held>::iterator at;
  };

  void tcp_arrived(std::unique_ptr<TcpConnection> connection) override {
    ++shop_.counts.accepted;
    Held& held = held_.emplace_front(*this, std::move(connection));
    held.at = held_.begin();
    held.session.writable();
    held.connection->hear(held);
  }

  Shop& shop_;
  std::list<Held> held_;
  Result<std::unique_ptr<net::lwip::TcpListener>> listener_;
};

struct EchoSession final : Session {
  using Session::Session;
  std::size_t received(Bytes bytes) override {
    const Result<std::size_t> written = connection_.write(bytes);
    return written ? *written : 0;
  }
};

struct DiscardSession final : Session {
  using Session::Session;
  std::size_t received(Bytes bytes) override {
    shop_.counts.discarded += bytes.size();
    return bytes.size();
  }
};

class ChargenSession final : public Session {
 public:
  using Session::Session;
  std::size_t received(Bytes bytes) override { return bytes.size(); }
  void writable() override {
    for (Bytes piece = shop_.pattern.from(sent_); !piece.empty();) {
      const Result<std::size_t> written = connection_.write(piece);
      if (!written || *written == 0) return;
      sent_ += *written;
      piece = shop_.pattern.from(sent_);
    }
  }

 private:
  std::uint64_t sent_ = 0;
};

// HTTP/1.1 (RFC 9112) as far as clients of tests go: GET of / and of /bytes/N, one request after the other.
class HttpSession final : public Session {
 public:
  using Session::Session;

  std::size_t received(Bytes bytes) override {
    if (busy()) return 0;  // offered again when the answer is written
    const std::size_t before = request_.size();
    request_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t end = request_.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (request_.size() > kRequestBytesMax) answer("431 Request Header Fields Too Large", 0, false);
      return bytes.size();
    }
    answer_request(std::string_view(request_).substr(0, end + 2));
    request_.clear();
    return end + 4 - before;
  }
  void writable() override { write(); }
  void finished() override {
    closing_ = true;
    over_ = !busy();
  }

 private:
  static constexpr std::size_t kRequestBytesMax = 8'192;

  bool busy() const { return !head_.empty() || body_left_ > 0; }

  void answer_request(std::string_view request) {
    ++shop_.counts.requests;
    const std::string_view line = request.substr(0, request.find("\r\n"));
    const bool old = line.ends_with("HTTP/1.0");
    const bool keep = has(request, old ? "\r\nconnection: keep-alive\r\n" : "\r\nconnection: close\r\n") == old;
    constexpr std::string_view kSized = "GET /bytes/";
    if (line.starts_with("GET / ")) return answer("200 OK", 1'024, keep);
    if (line.starts_with(kSized)) {
      return answer("200 OK", std::strtoull(line.data() + kSized.size(), nullptr, 10), keep);
    }
    answer("404 Not Found", 0, keep);
  }

  // Header names and these values are compared in lower case.
  static bool has(std::string_view request, std::string_view field) {
    std::string lower(request);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower.find(field) != std::string::npos;
  }

  void answer(const char* status, std::uint64_t bytes, bool keep) {
    head_ = std::string("HTTP/1.1 ") + status + "\r\nContent-Length: " + std::to_string(bytes) +
            "\r\nConnection: " + (keep ? "keep-alive" : "close") + "\r\n\r\n";
    body_at_ = 0;
    body_left_ = bytes;
    closing_ = !keep;
    write();
  }

  // As much as there is room for.
  void write() {
    while (busy()) {
      const Bytes piece = head_.empty() ? shop_.pattern.from(body_at_, body_left_) : as_bytes(head_);
      const Result<std::size_t> written = connection_.write(piece);
      if (!written || *written == 0) return;
      if (head_.empty()) {
        body_at_ += *written;
        body_left_ -= *written;
      } else {
        head_.erase(0, *written);
      }
    }
    over_ = closing_;
  }

  std::string request_, head_;
  std::uint64_t body_at_ = 0, body_left_ = 0;
  bool closing_ = false;
};

class UdpEcho final : net::lwip::UdpEvents {
 public:
  UdpEcho(Shop& shop, std::uint16_t port)
      : shop_(shop), socket_(UdpSocket::open(shop.stack, {net::inet::kAny6, port}, *this)) {}

  Status usable() const { return socket_ ? Status() : socket_.error(); }

 private:
  void udp_received(UdpSocket& socket, const Endpoint& from, Bytes datagram) override {
    ++shop_.counts.udp_received;
    if (socket.send_to(from, datagram)) ++shop_.counts.udp_sent;
    else ++shop_.counts.udp_refused;
  }

  Shop& shop_;
  Result<std::unique_ptr<UdpSocket>> socket_;
};

}  // namespace vif::test
