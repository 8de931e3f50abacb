// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/daemon_client.hpp"

#include <sys/socket.h>

#include <array>

#include "hypercall/host_error.hpp"
#include "tools/control/control_socket.hpp"

namespace vif::tools {
namespace {

Error gone() { return fail(ECONNRESET, "virtifd went away before it answered"); }

Error error_in(const Json& fault) {
  const int code = fault.value("code", 0);
  const std::string message = fault.value("message", std::string("virtifd says no, and not why"));
  return fail(code > 0 ? code : code == kMethodNotFound ? ENOTSUP : EPROTO, message);
}

}  // namespace

Result<DaemonClient> DaemonClient::connect(const std::string& path) {
  Result<host::UniqueFd> fd = connect_to(path);
  if (!fd) return fd.error();
  return DaemonClient(std::move(*fd));
}

Status DaemonClient::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EPIPE || errno == ECONNRESET) return {};  // what it said before is still to be read
    else if (errno != EINTR) return host::host_error("cannot speak to virtifd");
  }
  return {};
}

Result<std::optional<Json>> DaemonClient::take_message(int flags) {
  for (std::size_t looked_at = 0;;) {
    if (const std::size_t end = in_.find('\n', looked_at); end != std::string::npos) {
      Json message = Json::parse(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      in_.erase(0, end + 1);
      if (!message.is_object()) return fail(EPROTO, "this is no virtifd: a JSON object a line was expected");
      return std::optional(std::move(message));
    }
    looked_at = in_.size();
    std::array<char, 65'536> piece;
    const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), flags);
    if (got > 0) in_.append(piece.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno == ECONNRESET) return gone();
    else if (errno == EAGAIN) return std::optional<Json>();
    else if (errno != EINTR) return host::host_error("cannot hear virtifd");
  }
}

Result<Json> DaemonClient::read_message() {
  Result<std::optional<Json>> message = take_message(0);
  if (!message) return message.error();
  return std::move(**message);
}

Result<Json> DaemonClient::call(std::string_view method, const Json& params) {
  const Result<std::uint64_t> id = begin(method, params);
  if (!id) return id.error();
  for (;;) {
    Result<Json> message = read_message();
    if (!message) return message.error();
    if (message->contains("method")) continue;
    if (const auto fault = message->find("error"); fault != message->end()) return error_in(*fault);
    if (message->value("id", Json()) == *id && message->contains("result")) return std::move((*message)["result"]);
    return fail(EPROTO, "this is no virtifd: an answer to request " + std::to_string(*id) + " was expected");
  }
}

Result<std::uint64_t> DaemonClient::begin(std::string_view method, const Json& params) {
  if (Status sent = send(request_line(++last_id_, method, params)); !sent) return sent.error();
  return last_id_;
}

Result<std::optional<DaemonClient::Answer>> DaemonClient::answer_if_any() {
  for (;;) {
    Result<std::optional<Json>> message = take_message(MSG_DONTWAIT);
    if (!message) return message.error();
    if (!*message) return std::optional<Answer>();
    Json& said = **message;
    if (said.contains("method")) continue;
    const Json id = said.value("id", Json());
    const auto fault = said.find("error");
    if (!id.is_number_unsigned()) return fault == said.end() ? fail(EPROTO, "this is no virtifd") : error_in(*fault);
    if (fault != said.end()) return std::optional(Answer{id.get<std::uint64_t>(), error_in(*fault)});
    return std::optional(Answer{id.get<std::uint64_t>(), said.value("result", Json())});
  }
}

Result<DaemonClient::Notification> DaemonClient::next() {
  for (;;) {
    Result<Json> message = read_message();
    if (!message && message.error().number() == ECONNRESET) return fail(ECONNRESET, "virtifd has ended");
    if (!message) return message.error();
    const auto method = message->find("method");
    if (method == message->end() || !method->is_string()) continue;
    return Notification{method->get<std::string>(), message->value("params", Json::object())};
  }
}

}  // namespace vif::tools
