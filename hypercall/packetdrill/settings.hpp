// SPDX-License-Identifier: BSD-2-Clause
// What --so_flags says. Plain values, any thread.
#pragma once

#include <string_view>

#include "netstack/inet/ip_address.hpp"

namespace vif::host::packetdrill {

struct Settings {
  // Ours. The network behind it is reached by way of a gateway that knows everybody.
  net::inet::IpPrefix local4{net::inet::IpAddress::v4(192, 168, 0, 2), 16};
  net::inet::IpPrefix local6{{{0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}, 48};
  std::uint32_t mtu_bytes = 1500;
  std::uint64_t seed = 1;  // of initial sequence numbers and local ports

  // "local4=192.168.0.2/16,local6=fd3d:fa7b:d17d::2/48,mtu=1500,seed=1", each of them or none. EINVAL, E2BIG: the text
  // says what was expected.
  static Result<Settings> parse(std::string_view flags);
};

}  // namespace vif::host::packetdrill
