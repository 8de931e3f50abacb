// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fetch/http_get.hpp"

namespace vif::host {

HttpGet::HttpGet(net::lwip::LwipStack& stack, net::Domain& domain, HttpEvents& events)
    : stack_(stack),
      domain_(domain),
      events_(events),
      give_up_(domain.callouts(), [this] { end(fail(ETIMEDOUT, whom_ + " sent nothing new for too long")); }) {}

Status HttpGet::start(const Url& url, std::uint64_t file_bytes_max, Time patience) {
  whom_ = url.authority;
  patience_ = patience;
  response_.emplace(file_bytes_max, [this](Bytes bytes) { return events_.http_received(bytes); });
  request_ = "GET " + url.path + " HTTP/1.1\r\nHost: " + url.authority +
             "\r\nUser-Agent: virtifctl\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
  auto connection = net::lwip::TcpConnection::connect(stack_, {url.server, url.port}, *this);
  if (!connection) return std::move(connection).error();
  connection_ = *std::move(connection);
  wait();
  return {};
}

void HttpGet::ask() {
  const Result<std::size_t> written = connection_->write(as_bytes(request_));
  if (!written) return end(written.error());
  request_.erase(0, *written);
}

void HttpGet::tcp_connected(net::lwip::TcpConnection&) { ask(); }

void HttpGet::tcp_writable(net::lwip::TcpConnection&) {
  if (!ended_) ask();
}

std::size_t HttpGet::tcp_received(net::lwip::TcpConnection&, Bytes bytes) {
  if (ended_) return bytes.size();
  wait();
  const Status fed = response_->feed(bytes);
  if (!fed) end(fail(fed.error().number(), whom_ + ": " + fed.error().text));
  else if (response_->is_whole()) end({});
  return bytes.size();
}

void HttpGet::tcp_finished(net::lwip::TcpConnection&) {
  if (ended_) return;
  const Status whole = response_->finish();
  end(whole ? whole : Status(fail(whole.error().number(), whom_ + ": " + whole.error().text)));
}

void HttpGet::tcp_failed(net::lwip::TcpConnection&, const Error& why) {
  if (!ended_) end(fail(why.number(), whom_ + ": " + why.text));
}

void HttpGet::end(const Status& how) {
  if (std::exchange(ended_, true)) return;
  give_up_.cancel();
  if (connection_) connection_->close();
  events_.http_ended(how);
}

}  // namespace vif::host
