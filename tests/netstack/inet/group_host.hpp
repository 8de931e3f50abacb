// SPDX-License-Identifier: BSD-2-Clause
// A host that is in groups: what the tests of IGMP and MLD have in common.
#pragma once

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {

// The record types of a report: RFC 3376, 4.2.12 and RFC 3810, 5.2.12.
enum : std::uint8_t { kIsIn = 2, kLeft = 3, kJoined = 4 };

class GroupHost : public InetRig {
 protected:
  explicit GroupHost(const net::inet::InetConfig& config) : InetRig(config) {}

  // What was told since the last call.
  std::vector<Frame> told() {
    EXPECT_TRUE(sent().empty());
    std::vector<Frame> packets;
    for (const Frame& frame : std::exchange(reports, {})) packets.push_back(payload_of(frame));
    return packets;
  }
  std::vector<Frame> told_within(Time time) {
    run(time);
    return told();
  }
  static Frame record(std::uint8_t change, const IpAddress& group) {
    return Frame{std::byte{change}} + hex("00 0000") + address_bytes(group);
  }
  void join(const IpAddress& group) { ASSERT_EQ(error_of(inet->join(ifp(), group)), 0); }
  void leave(const IpAddress& group) { ASSERT_EQ(error_of(inet->leave(ifp(), group)), 0); }
};

}  // namespace vif::test
