// SPDX-License-Identifier: BSD-2-Clause
// Fetches one file by HTTP/1.1 (RFC 9112) over lwIP's TCP: one GET on a connection of its own. Owned by the caller; the
// stack and the events outlive it. Not to be destroyed from inside the events. Domain's thread.
#pragma once

#include <memory>

#include "hypercall/fetch/http_response.hpp"
#include "hypercall/fetch/url.hpp"
#include "netstack/domain.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::host {

// From inside upcalls and callouts.
class HttpEvents {
 public:
  virtual ~HttpEvents() = default;
  // The next bytes of the file, borrowed. An error ends the transfer with it.
  virtual Status http_received(Bytes bytes) = 0;
  // Once, and last. HttpResponse's errors; ETIMEDOUT: nothing new for too long; what became of the connection.
  virtual void http_ended(const Status& how) = 0;
};

class HttpGet final : private net::lwip::TcpEvents {
 public:
  HttpGet(net::lwip::LwipStack& stack, net::Domain& domain, HttpEvents& events);

  // Begins, once. `patience`: without anything new it is given up. Errors: TcpConnection::connect's.
  Status start(const Url& url, std::uint64_t file_bytes_max, Time patience);

  // As the server says; nullopt: it does not, or not yet.
  std::optional<std::uint64_t> file_bytes() const { return response_ ? response_->body_bytes() : std::nullopt; }

 private:
  void tcp_connected(net::lwip::TcpConnection& connection) override;
  std::size_t tcp_received(net::lwip::TcpConnection& connection, Bytes bytes) override;
  void tcp_finished(net::lwip::TcpConnection& connection) override;
  void tcp_writable(net::lwip::TcpConnection& connection) override;
  void tcp_failed(net::lwip::TcpConnection& connection, const Error& why) override;

  void ask();
  void end(const Status& how);
  void wait() { give_up_.schedule(domain_.now() + patience_); }

  net::lwip::LwipStack& stack_;
  net::Domain& domain_;
  HttpEvents& events_;
  std::unique_ptr<net::lwip::TcpConnection> connection_;
  std::optional<HttpResponse> response_;
  std::string request_;  // what is not written yet
  std::string whom_;
  Callout give_up_;
  Time patience_{};
  bool ended_ = false;
};

}  // namespace vif::host
