// SPDX-License-Identifier: BSD-2-Clause
// Where a file is fetched from: tftp://HOST[:PORT]/FILE (RFC 3617) or http://HOST[:PORT]/PATH (RFC 9110, 4.2.1). HOST
// is an address, as no name is looked up; IPv6 stands in brackets. Plain value, any thread.
#pragma once

#include <string>
#include <string_view>

#include "netstack/inet/ip_address.hpp"

namespace vif::host {

struct Url {
  static constexpr std::size_t kBytesMax = 500;

  enum class Scheme : std::uint8_t { tftp, http } scheme = Scheme::tftp;
  net::inet::IpAddress server = {};
  std::uint16_t port = 0;
  std::string authority = {};  // as it was written: "192.0.2.1:8080"
  std::string path = {};       // of http as it goes into a request, "/a%20b"; of tftp the file's name, decoded, "a b"

  // EINVAL says what was expected.
  static Result<Url> parse(std::string_view text);
  // The last part of the path.
  std::string name() const;
};

}  // namespace vif::host
