// SPDX-License-Identifier: BSD-2-Clause
// Silence after stop(), with the other side sending from its own thread all the while. TSan sees the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/conformance/world.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using During = RecordingSink::During;

class LinkContractThreads : public testing::TestWithParam<Backend> {};

TEST_P(LinkContractThreads, is_silent_after_stop_while_others_send) {
  const std::unique_ptr<World> world = GetParam().make();
  if (!world->releases_from_any_thread()) GTEST_SKIP() << GetParam().name << ": nothing comes from other threads";
  const std::string ifname = "virt0";
  Result<drv::OpenLink> link = world->open(*drv::Linkstr::parse(world->linkstr()), {ifname, kOurMac});
  ASSERT_TRUE(link) << link.error().text;

  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) {
      world->prepare_any(8);
      world->release();
    }
  });
  std::size_t delivered = 0;
  for (int i = 0; i < 300; ++i) {
    RecordingSink sink;
    ASSERT_TRUE(link->port->start(sink));
    sink.during = During::drain;
    for (int rounds = 0; rounds < 20; ++rounds) link->port->drain(16);
    sink.during = During::stop;
    link->port->stop();
    sink.during = During::nothing;
    const std::size_t readies = sink.readies, frames = sink.frames.size();
    std::this_thread::yield();
    ASSERT_EQ(sink.readies, readies);
    ASSERT_EQ(sink.frames.size(), frames);
    delivered += frames;
  }
  done = true;
  sender.join();
  EXPECT_GT(delivered, 0U);
}

INSTANTIATE_TEST_SUITE_P(Backends, LinkContractThreads, testing::ValuesIn(kBackends),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
