// SPDX-License-Identifier: BSD-2-Clause
// A thousand idle TAPs: they cost memory, descriptors and work as if they were not there.
#include <sys/resource.h>

#include <fstream>
#include <vector>

#include "tests/hypercall/tap/tap_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class TapMany : public TapRig {
 protected:
  static std::size_t resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (word == "VmRSS:") return status >> word, std::stoul(word);
    }
    return 0;
  }
};

TEST_F(TapMany, idle_cost_nothing) {
  constexpr std::size_t kTaps = 1000;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2 * kTaps + 100) GTEST_SKIP() << "no " << 2 * kTaps << " descriptors to be had";

  std::vector<drv::OpenLink> links;
  RecordingSink sink;
  const std::size_t before_kib = resident_kib();
  for (std::size_t i = 0; i < kTaps; ++i) {
    auto opened = try_open("tap:vif%d");
    ASSERT_TRUE(opened) << i << ": " << opened.error().text;
    links.push_back(std::move(*opened));
    ASSERT_TRUE(links.back().port->start(sink));
  }
  sink.during = RecordingSink::During::drain;
  for (drv::OpenLink& link : links) EXPECT_FALSE(link.port->drain(64));
  sink.during = RecordingSink::During::nothing;
  EXPECT_LT(resident_kib() - before_kib, 8 * kTaps) << "KiB, which is more than two pages each";
  watch.collect();
  sink.readies = 0;
  for (int round = 0; round < 100; ++round) watch.collect();
  EXPECT_LT(sink.readies, 2 * kTaps) << "told of each once at most, then asleep";
  sink.during = RecordingSink::During::stop;
  links.clear();
}

}  // namespace
