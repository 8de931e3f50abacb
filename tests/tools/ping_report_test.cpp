// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ping_report.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::tools;
using namespace std::chrono_literals;

PingReport::Reply reply(std::uint64_t sequence, Time took) { return {sequence, "192.0.2.2", 56, 64, took}; }

// The lines of iputils-ping 20221126.
TEST(PingReport, reads_as_that_of_iputils) {
  PingReport report("192.0.2.2", 56);
  EXPECT_EQ(report.heading(), "PING 192.0.2.2 (192.0.2.2) 56(84) bytes of data.");
  EXPECT_EQ(PingReport("::1", 56).heading(), "PING ::1(::1) 56 data bytes");
  EXPECT_EQ(PingReport::line(reply(1, 328us)), "64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=0.328 ms");
  EXPECT_NE(PingReport::line(reply(1, 1284us)).find("time=1.28 ms"), std::string::npos);
  EXPECT_NE(PingReport::line(reply(1, 12'840us)).find("time=12.8 ms"), std::string::npos);
  EXPECT_NE(PingReport::line(reply(1, 128'400us)).find("time=128 ms"), std::string::npos);
  for (int i = 0; i < 2; ++i) report.sent();
  report.replied(reply(1, 328us));
  report.replied(reply(2, 36us));
  EXPECT_EQ(report.statistics(212ms),
            "\n--- 192.0.2.2 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 212ms\n"
            "rtt min/avg/max/mdev = 0.036/0.182/0.328/0.146 ms\n");
}

TEST(PingReport, tells_of_loss) {
  PingReport report("192.0.2.2", 56);
  for (int i = 0; i < 3; ++i) report.sent();
  EXPECT_EQ(
      report.statistics(2s),
      "\n--- 192.0.2.2 ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time 2000ms\n\n");
  EXPECT_EQ(report.json(2s)["rtt_ms"], Json());
  report.replied(reply(2, 2ms));
  EXPECT_NE(report.statistics(2s).find("1 received, 66.6667% packet loss"), std::string::npos);
}

TEST(PingReport, gives_scripts_numbers) {
  PingReport report("192.0.2.2", 10);
  report.sent();
  report.replied(reply(1, 2ms));
  EXPECT_EQ(report.json(1s), Json::parse(R"({"to": "192.0.2.2", "bytes": 10, "transmitted": 1, "received": 1,
      "loss_percent": 0.0, "time_ms": 1000.0, "rtt_ms": {"min": 2.0, "avg": 2.0, "max": 2.0, "mdev": 0.0},
      "replies": [{"seq": 1, "from": "192.0.2.2", "bytes": 56, "ttl": 64, "time_ms": 2.0}]})"));
}

}  // namespace
