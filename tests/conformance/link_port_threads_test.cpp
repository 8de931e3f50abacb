// SPDX-License-Identifier: BSD-2-Clause
// Silence after stop(), with the other side sending from its own thread all the while. TSan sees the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/conformance/link_contract.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class LinkContractThreads : public testing::TestWithParam<Backend> {};

TEST_P(LinkContractThreads, is_silent_after_stop_while_others_send) {
  const std::unique_ptr<World> world = GetParam().make();
  VIF_SKIP_WHERE(world->anything());
  if (!world->releases_from_any_thread()) GTEST_SKIP() << GetParam().name << ": nothing comes from other threads";
  const std::string ifname = "virt0";
  Result<drv::OpenLink> opened =
      world->open(*drv::Linkstr::parse(world->linkstr()), {ifname, kOurMac, world->domain()});
  ASSERT_TRUE(opened) << opened.error().text;
  RecordedLink link;
  link.link = std::move(*opened);

  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) {
      world->prepare_any(8);
      world->release();
    }
  });
  for (int i = 0; i < 60; ++i) {  // the kernel takes 50 ms to let a packet socket go
    link.sink.frames.clear();
    ASSERT_TRUE(link.start());
    for (link.drain(16); link.sink.frames.empty(); link.drain(16)) std::this_thread::yield();
    link.stop();
    const std::size_t readies = link.sink.readies, frames = link.sink.frames.size();
    std::this_thread::yield();
    ASSERT_EQ(link.sink.readies, readies);
    ASSERT_EQ(link.sink.frames.size(), frames);
  }
  done = true;
  sender.join();
}

INSTANTIATE_TEST_SUITE_P(Backends, LinkContractThreads, testing::ValuesIn(kBackends),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
