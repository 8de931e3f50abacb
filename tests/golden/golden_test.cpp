// SPDX-License-Identifier: BSD-2-Clause
// The exchanges of tests/data/golden, which Linux had, with our own stack and with lwIP in its place, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/golden/differences.hpp"
#include "tests/golden/exchanges.hpp"
#include "tests/golden/hosts.hpp"

namespace vif::test {

// For the test's name.
void PrintTo(const Exchange& one, std::ostream* out) { *out << one.stack << " " << one.name; }

namespace {

class Golden : public testing::TestWithParam<Exchange> {};

TEST_P(Golden, is_answered_as_linux_does) {
  host::ReplayStage stage(*net::MacAddress::parse(kGoldenMac));
  const auto open = GetParam().stack == "inet" ? inet_host : lwip_host;
  const std::unique_ptr<GoldenHost> golden = open(stage.domain(), stage.ifp());
  if (!golden) GTEST_SKIP() << "skipped: built without lwIP";
  stage.run(std::chrono::seconds(30));  // until it has said who it is
  EXPECT_EQ(complaint(GetParam(), peer_of(GetParam()).through(stage), World::simulated), "");
}

std::string test_name(const testing::TestParamInfo<Exchange>& one) {
  std::string name = one.param.stack + "_" + one.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(, Golden, testing::ValuesIn(golden_exchanges()), test_name);

TEST(GoldenSuite, is_whole) {
  EXPECT_GE(golden_exchanges().size(), 2 * 60U);
  for (const Difference& difference : known_differences()) {
    EXPECT_TRUE(std::filesystem::exists(std::string(VIF_GOLDEN "/") + std::string(difference.exchange) + ".pcapng"))
        << "there is no exchange " << difference.exchange;
    EXPECT_FALSE(difference.why.empty());
  }
}

}  // namespace
}  // namespace vif::test
