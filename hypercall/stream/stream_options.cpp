// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/stream/stream_options.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <string_view>

#include "hypercall/link_options.hpp"

namespace vif::host {
namespace {

struct KnownFraming {
  std::string_view name;
  int socket_type;
  std::size_t header_bytes;
};
constexpr std::array kFramings = {
    KnownFraming{"qemu", SOCK_STREAM, 4},     // QEMU's net/stream.c; passt(1)
    KnownFraming{"vde", SOCK_STREAM, 2},      // what vde_plug(1) reads and writes
    KnownFraming{"bess", SOCK_SEQPACKET, 0},  // BESS's UnixSocketPort; transport=bess of User-mode Linux
    KnownFraming{"dgram", SOCK_DGRAM, 0},     // QEMU's net/dgram.c
};

Error refuse(const std::string& text) { return fail(std::errc::invalid_argument, "stream: " + text); }

Result<int> parse_descriptor(std::string_view digits) {
  int fd = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), fd);
  if (error != std::errc{} || end != digits.data() + digits.size() || fd < 0) {
    return refuse("fd is the number of an open descriptor, not '" + std::string(digits) + "'");
  }
  return fd;
}

// A key that is there or not.
Result<bool> flag(const drv::Linkstr& linkstr, std::string_view key) {
  const drv::Linkstr::Option* const option = linkstr.find(key);
  if (option != nullptr && option->value) return refuse(std::string(key) + " takes no value");
  return option != nullptr;
}

Status parse_framing(const drv::Linkstr& linkstr, StreamOptions& options) {
  const drv::Linkstr::Option* const option = linkstr.find("framing");
  const std::string name = option == nullptr ? "qemu" : option->value.value_or("");
  const auto* const known = std::find_if(kFramings.begin(), kFramings.end(), [&](auto& f) { return f.name == name; });
  if (known == kFramings.end()) return refuse("framing is qemu, vde, bess or dgram, not '" + name + "'");
  options.socket_type = known->socket_type;
  options.header_bytes = known->header_bytes;
  return {};
}

// What does not go together.
Status check(const StreamOptions& options) {
  if (options.listen && options.reconnect) return refuse("listen always waits for the next peer: leave out reconnect");
  if (options.fd >= 0 && (options.listen || options.reconnect || !options.local.empty())) {
    return refuse("fd= is one connected socket: leave out listen, reconnect and local=");
  }
  const bool datagrams = options.socket_type == SOCK_DGRAM;
  if (datagrams && options.listen) return refuse("framing=dgram has no connections to listen for: give local=PATH");
  if (datagrams && options.fd < 0 && options.local.empty()) {
    return refuse("framing=dgram needs local=PATH, where the peer sends to");
  }
  if (!datagrams && !options.local.empty()) return refuse("local= is for framing=dgram");
  return {};
}

}  // namespace

Result<StreamOptions> StreamOptions::parse(const drv::Linkstr& linkstr) {
  constexpr std::string_view kDescriptor = "fd=";
  if (Status ok = needs_argument(linkstr, "the path of a socket, or fd=N"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {"framing", "listen", "local", "reconnect"}); !ok) {
    return std::move(ok).error();
  }
  StreamOptions options;
  if (linkstr.argument.starts_with(kDescriptor)) {
    const Result<int> fd = parse_descriptor(std::string_view(linkstr.argument).substr(kDescriptor.size()));
    if (!fd) return fd.error();
    options.fd = *fd;
  } else {
    options.path = linkstr.argument;
  }
  if (Status ok = parse_framing(linkstr, options); !ok) return std::move(ok).error();
  const Result<bool> listen = flag(linkstr, "listen"), reconnect = flag(linkstr, "reconnect");
  if (!listen) return listen.error();
  if (!reconnect) return reconnect.error();
  options.listen = *listen;
  options.reconnect = *reconnect;
  if (const drv::Linkstr::Option* const local = linkstr.find("local")) {
    if (local->value.value_or("").empty()) return refuse("local= needs the path of our own end");
    options.local = *local->value;
  }
  if (Status ok = check(options); !ok) return std::move(ok).error();
  return options;
}

std::string StreamOptions::where() const { return fd >= 0 ? "descriptor " + std::to_string(fd) : path; }

std::string StreamOptions::describe() const {
  std::string text = listen ? "listens at " : fd >= 0 ? "uses " : "connects to ";
  text += where();
  if (!local.empty()) text += " from " + local;
  text += header_bytes > 0 ? ", " + std::to_string(header_bytes) + "-byte lengths in a stream" : ", one frame a packet";
  return text + (reconnect ? ", again and again" : "");
}

}  // namespace vif::host
