// SPDX-License-Identifier: BSD-2-Clause
// The exchanges of tests/data/golden, which Linux had, with our own stack and with lwIP in its place, in virtual time.
//
// The masks below are all that may differ in every exchange of a kind; differences.cpp lists the exchanges that differ
// beyond that, and why.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/golden/differences.hpp"
#include "tests/golden/hosts.hpp"

namespace vif::test {
namespace {

using namespace host;
using testing::HasSubstr;

struct Case {
  std::string stack, exchange;
};
// For the test's name.
void PrintTo(const Case& one, std::ostream* out) { *out << one.stack << " " << one.exchange; }

constexpr char kFromPeer[] = "not ether src 02:76:69:66:00:0a";

// What Linux's stack and another one may choose as they like.
std::string mask_of(const std::string& exchange) {
  // RFC 6864: any, where nothing is in fragments; and whether paths are explored.
  std::string mask = "ip.id,ip.flags,ip.ttl,ip.dsfield,ipv6.flow,ipv6.tclass,ipv6.hlim";
  if (exchange.starts_with("tcp")) mask += ",tcp.window_size_value";
  // The identification of a fragment (RFC 7739), behind Ethernet and IPv6.
  if (exchange == "frag6-of-an-echo" || exchange == "icmp6-packet-too-big") mask += ",@58..62";
  return mask;
}
// What of the exchange is compared: what it is about. Neighbours are asked for when a stack likes.
std::string subject_of(const std::string& exchange) {
  const std::string ours = "ether src 02:76:69:66:00:0a";
  if (exchange.starts_with("arp") || exchange.starts_with("nd")) return ours;
  return ours + " and not arp and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 136)";
}

// For what must not come, or comes late. A stack makes sure of its neighbours after 5 s (RFC 4861, 10).
Time linger_of(const std::string& exchange) {
  return exchange.find("never") != std::string::npos ? std::chrono::seconds(10) : std::chrono::seconds(4);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& entry : std::filesystem::directory_iterator(VIF_GOLDEN)) {
    if (entry.path().extension() != ".pcapng") continue;
    const std::string exchange = entry.path().stem().string();
    all.push_back({"lwip", exchange});
    if (!exchange.starts_with("tcp")) all.push_back({"inet", exchange});  // which has no TCP
  }
  std::sort(all.begin(), all.end(),
            [](const Case& a, const Case& b) { return std::tie(a.exchange, a.stack) < std::tie(b.exchange, b.stack); });
  return all;
}

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, is_answered_as_linux_does) {
  const auto& [name, exchange] = GetParam();
  ReplayStage stage(*net::MacAddress::parse(kGoldenMac));
  const std::unique_ptr<GoldenHost> golden = name == "inet" ? inet_host(stage) : lwip_host(stage);
  if (!golden) GTEST_SKIP() << "skipped: built without lwIP";
  stage.run(std::chrono::seconds(30));  // until it has said who it is
  const std::string path = std::string(VIF_GOLDEN "/") + exchange + ".pcapng";
  const ReplayOutcome outcome =
      replay(path).sending(kFromPeer).learning("tcp.seq,tcp.srcport").listening(linger_of(exchange)).through(stage);
  const SendsMatcher sends = Sends(path, only(subject_of(exchange)), ignoring(mask_of(exchange)));
  const Difference* const difference = known_difference(name, exchange);
  if (difference == nullptr) {
    EXPECT_THAT(outcome, sends);
    return;
  }
  const Result<net::ExpectVerdict> verdict = sends.judge(outcome);
  ASSERT_TRUE(verdict) << verdict.error().text;
  ASSERT_FALSE(verdict->pass()) << exchange << " is as Linux has it now: strike it off the list in differences.cpp";
  EXPECT_THAT(verdict->failures.front().text, HasSubstr(difference->what)) << difference->why;
}

std::string test_name(const testing::TestParamInfo<Case>& one) {
  std::string name = one.param.stack + "_" + one.param.exchange;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(, Golden, testing::ValuesIn(cases()), test_name);

TEST(GoldenSuite, is_whole) {
  EXPECT_GE(cases().size(), 2 * 60U);
  for (const Difference& difference : known_differences()) {
    EXPECT_TRUE(std::filesystem::exists(std::string(VIF_GOLDEN "/") + std::string(difference.exchange) + ".pcapng"))
        << "there is no exchange " << difference.exchange;
    EXPECT_FALSE(difference.why.empty());
  }
}

}  // namespace
}  // namespace vif::test
