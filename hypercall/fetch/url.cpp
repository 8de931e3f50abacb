// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fetch/url.hpp"

#include <algorithm>
#include <charconv>

#include "netstack/inet/tftp_message.hpp"

namespace vif::host {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::string_view kTftp = "tftp://", kHttp = "http://";

Error wrong(std::string_view text, const std::string& what) {
  return fail(EINVAL, std::string(text) + ": " + what + " was expected, as in tftp://192.0.2.1/a.cap");
}

// "192.0.2.1", "192.0.2.1:8080", "[2001:db8::1]:8080".
Status read_authority(std::string_view text, Url& url) {
  const std::string_view authority = url.authority;
  const bool in_brackets = authority.starts_with('[');
  const std::size_t end = in_brackets ? authority.find(']') : authority.find(':');
  if (in_brackets && end == std::string_view::npos) return wrong(text, "a ']' behind the address");
  const auto address = net::inet::IpAddress::parse(authority.substr(in_brackets ? 1 : 0, in_brackets ? end - 1 : end));
  if (!address || address->is_v4() == in_brackets || !address->is_unicast()) {
    return wrong(text, "the address of a host (names are not looked up; IPv6 stands in brackets)");
  }
  url.server = *address;
  const std::string_view rest = authority.substr(std::min(in_brackets ? end + 1 : end, authority.size()));
  if (rest.empty()) return {};
  const auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), url.port);
  const bool is_port = rest[0] == ':' && error == std::errc() && stop == rest.data() + rest.size() && url.port != 0;
  return is_port ? Status() : wrong(text, "a port of 1 to 65535");
}

// RFC 3986, 2.1. False: something else stands behind a %.
bool decode(std::string_view path, std::string& decoded) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    unsigned char letter = 0;
    const char* const digits = path.data() + i + 1;
    if (path.size() - i < 3) return false;
    const auto [stop, error] = std::from_chars(digits, digits + 2, letter, 16);
    if (error != std::errc() || stop != digits + 2 || letter == 0) return false;
    decoded += static_cast<char>(letter);
    i += 2;
  }
  return true;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char letter) { return letter > ' ' && letter <= '~'; });
  if (!is_plain || text.size() > kBytesMax)
    return fail(EINVAL, "a URL of at most 500 letters without spaces was expected");
  Url url;
  if (!text.starts_with(kTftp) && !text.starts_with(kHttp)) return wrong(text, "tftp:// or http://");
  url.scheme = text.starts_with(kTftp) ? Scheme::tftp : Scheme::http;
  url.port = url.scheme == Scheme::tftp ? net::inet::kTftpPort : kHttpPort;
  const std::string_view rest = text.substr(kTftp.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  url.authority = rest.substr(0, slash);
  if (Status read = read_authority(text, url); !read) return read.error();
  const std::string_view path = rest.substr(slash);
  if (path.size() < 2 || path.ends_with('/') || path.find('#') != std::string_view::npos) {
    return wrong(text, "a file's name behind the host");
  }
  if (url.scheme == Scheme::http) url.path = path;
  else if (!decode(path.substr(1), url.path)) return wrong(text, "two hexadecimal digits behind each %");
  return url;
}

std::string Url::name() const {
  const std::string_view whole = std::string_view(path).substr(0, path.find('?'));
  return std::string(whole.substr(whole.rfind('/') + 1));
}

}  // namespace vif::host
