// SPDX-License-Identifier: BSD-2-Clause
// Our own stack with the programs of the golden exchanges that need no TCP.
#include <gtest/gtest.h>

#include "netstack/inet/inet.hpp"
#include "tests/golden/hosts.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

class InetGoldenHost final : public GoldenHost {
 public:
  InetGoldenHost(net::Domain& domain, net::Ifnet& ifp) : inet_(domain, {}) {
    EXPECT_TRUE(inet_.attach(ifp));
    for (const char* address : {kGoldenIp4, kGoldenIp6}) {
      EXPECT_TRUE(inet_.add_address(ifp, *IpPrefix::parse(address), Claim::at_once));
    }
    auto opened = inet_.open_udp({.port = kEchoPort});
    EXPECT_TRUE(opened);
    echo_ = std::move(*opened);
    echo_->on_readable([this] {
      while (auto datagram = echo_->receive()) {
        (void)echo_->send_to(std::move(datagram->payload), {.address = datagram->from, .port = datagram->from_port});
      }
    });
  }

 private:
  Inet inet_;
  std::unique_ptr<UdpSocket> echo_;
};

}  // namespace

std::unique_ptr<GoldenHost> inet_host(net::Domain& domain, net::Ifnet& ifp) {
  return std::make_unique<InetGoldenHost>(domain, ifp);
}

}  // namespace vif::test
