// SPDX-License-Identifier: BSD-2-Clause
// Is a stack's answer what Linux answered when ping.pcap was made? The stack here is the library's own; put yours in
// its place: it takes frames from stage.ifp() (set_input) and gives its own to it (transmit), as in examples/embed.cpp.
#include <gmock/gmock.h>

#include <netstack/inet/inet.hpp>
#include <virtif/replay.hpp>

using namespace vif;
using namespace vif::host;
using testing::Not;

// Both sides of the conversation are in the capture.
constexpr char kTheirs[] = "ether src 02:76:69:66:00:0a", kOurs[] = "ether src 02:76:69:66:00:0b";

class Ping : public testing::Test {
 protected:
  Ping() {
    EXPECT_TRUE(inet.attach(stage.ifp()));
    EXPECT_TRUE(inet.add_address(stage.ifp(), *net::inet::IpPrefix::parse("10.86.0.11/24"), net::inet::Claim::at_once));
    stage.run(std::chrono::seconds(10));  // it announces itself; that is not what is tested
  }

  ReplayStage stage{*net::MacAddress::parse("02:76:69:66:00:0b")};
  net::inet::Inet inet{stage.domain(), {.ip6 = false}};
};

TEST_F(Ping, is_answered_as_linux_does) {
  EXPECT_THAT(replay("ping.pcap").sending(kTheirs).through(stage),
              Sends("ping.pcap", only(kOurs), ignoring("ip.id,ip.flags,ip.ttl")));
}

TEST_F(Ping, is_not_answered_for_somebody_else) {
  EXPECT_THAT(replay("ping.pcap").sending(kTheirs).rewriting("ip:10.86.0.11/32=10.86.0.12/32").through(stage),
              Not(Sends("ping.pcap", only(kOurs), ignoring("ip.id,ip.flags,ip.ttl"))));
}
