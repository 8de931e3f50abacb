// SPDX-License-Identifier: BSD-2-Clause
// The stacks under test as hosts, with the programs that lab.py has on the kernel's: UDP 7 echo, UDP 2001
// "connect N"; TCP 7, 13, 19, 20 and 21. lwIP once in a process; on the domain's thread.
#pragma once

#include <memory>

#include "netstack/domain.hpp"
#include "netstack/ifnet.hpp"

namespace vif::test {

class GoldenHost {
 public:
  virtual ~GoldenHost() = default;
};

// Our own stack: no TCP.
std::unique_ptr<GoldenHost> inet_host(net::Domain& domain, net::Ifnet& ifp);
// Null: built without lwIP.
std::unique_ptr<GoldenHost> lwip_host(net::Domain& domain, net::Ifnet& ifp);

inline constexpr char kGoldenMac[] = "02:76:69:66:00:0a", kGoldenIp4[] = "192.0.2.10/24",
                      kGoldenIp6[] = "2001:db8::10/64";
inline constexpr std::uint16_t kEchoPort = 7, kCommandPort = 2001;

}  // namespace vif::test
