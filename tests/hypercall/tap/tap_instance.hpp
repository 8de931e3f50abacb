// SPDX-License-Identifier: BSD-2-Clause
// Interfaces on TAPs, in a loop's domain and a network namespace of their own; the host's own stack is the other end.
// One thread: what waits turns the loop meanwhile.
#pragma once

#include <poll.h>

#include <functional>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/support/net_namespace.hpp"

namespace vif::test {

class TapInstance : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    NetNamespace::without_ipv6();
  }

  // In the namespace the thread is in.
  net::Ifnet* add(const std::string& linkstr) {
    auto made = interfaces.create("virt");
    if (!made) return ADD_FAILURE() << made.error().text, nullptr;
    net::Ifnet* const ifp = *made;
    const Status linked = ifp->ioctl(net::SetLinkstr{linkstr});
    EXPECT_TRUE(linked) << linked.error().text;
    const Status up = ifp->ioctl(net::SetFlags{ifp->flags() | net::IFF_UP});
    EXPECT_TRUE(up) << up.error().text;
    return ifp;
  }
  // Turns the loop until it is so; false: it has not come about in two seconds.
  bool until(const std::function<bool()>& so) {
    const Time begun = clock.now();
    while (!so()) {
      if (clock.now() - begun > std::chrono::seconds(2)) return false;
      if (loop->poll(256)) continue;
      pollfd waited{loop->fd(), POLLIN, 0};
      ::poll(&waited, 1, 1);
    }
    return true;
  }

  NetNamespace network;
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  std::unique_ptr<host::Loop> loop = *host::Loop::create(clock, random, {});
  net::Domain& domain = loop->domain();
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(*loop);
};

}  // namespace vif::test
