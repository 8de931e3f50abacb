// SPDX-License-Identifier: BSD-2-Clause
// A veth pair where the calling thread is: vifa for the link under test, vifb for its peer. Both are up, and silent.
#pragma once

#include "tests/support/frames.hpp"
#include "tests/support/net_namespace.hpp"

namespace vif::test {

inline constexpr net::MacAddress kVethMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x0a}};  // of vifa

inline void make_veth_pair(int mtu_bytes = 1500) {
  NetNamespace::without_ipv6();
  const std::string mtu = " mtu " + std::to_string(mtu_bytes);
  NetNamespace::ip("link add vifa" + mtu + " address " + kVethMac.to_string() + " type veth peer name vifb" + mtu);
  NetNamespace::ip("link set vifa up");
  NetNamespace::ip("link set vifb up");
}

}  // namespace vif::test
