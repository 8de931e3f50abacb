// SPDX-License-Identifier: BSD-2-Clause
// Stacks in domains of their own on one simulated host, joined by segments in memory, and who hears echo replies. At
// the end all sums of all stacks hold. One thread.
#pragma once

#include <gtest/gtest.h>

#include "tests/hypercall/sim_instance.hpp"
#include "tests/support/inet_node.hpp"

namespace vif::test {

struct EchoCount final : net::inet::EchoListener {
  void echo_replied(const net::inet::EchoReply& reply) override {
    ++replies;
    bytes += reply.payload.pkthdr.len;
    hops = reply.hops;
  }
  std::uint64_t replies = 0, bytes = 0;
  std::uint8_t hops = 0;
};

class InetNetwork : public testing::Test {
 protected:
  static void expect_sums(const net::inet::Inet& inet) {
    const net::inet::InetData data = inet.read();
    EXPECT_EQ(data.received + data.cut, data.ended_in());
    EXPECT_EQ(data.originated + data.forwarded + data.fragmented, data.ended_out());
  }
  net::IfCloneTable& place() { return instance.attach(host.add_domain({.pool = {.counts = {96, 4, 1, 0}}})); }
  void run(Time time) { host.run_until(host.clock.now() + time); }

  host::sim::SimHost host{1};
  host::sim::SimFiles files;
  host::Instance instance{{host.clock, files}};
};

}  // namespace vif::test
