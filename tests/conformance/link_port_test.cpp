// SPDX-License-Identifier: BSD-2-Clause
// The same questions to every backend: does it keep the contract of virtif/link.hpp? Here: open, start, stop, close,
// and what happens when it fails. What a backend cannot be asked is skipped, with its reason.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/conformance/link_contract.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// --- open ---

TEST_P(LinkContract, refuses_what_it_does_not_understand_and_names_it) {
  world_->prepare({});
  for (const Refused& bad : world_->refused()) {
    const Result<drv::OpenLink> opened = try_open(bad.linkstr);
    ASSERT_FALSE(opened) << bad.linkstr;
    EXPECT_EQ(opened.error().number(), EINVAL) << bad.linkstr << ": " << opened.error().text;
    EXPECT_NE(opened.error().text.find(bad.names), std::string::npos) << bad.linkstr << ": " << opened.error().text;
  }
}

TEST_P(LinkContract, refuses_an_unknown_option_and_names_it) {
  world_->prepare({});
  const Result<drv::OpenLink> opened = try_open(world_->linkstr() + ",no-such-option=1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().number(), EINVAL);
  EXPECT_NE(opened.error().text.find("no-such-option"), std::string::npos) << opened.error().text;
}

TEST_P(LinkContract, opens_after_a_refusal) {
  for (const Refused& bad : world_->refused()) EXPECT_FALSE(try_open(bad.linkstr));
  open();
}

TEST_P(LinkContract, says_sane_things_of_itself) {
  open();
  EXPECT_GE(caps().frame_bytes_max, 64U);
  EXPECT_LE(caps().frame_bytes_min, 60U);
  EXPECT_GE(caps().slices_max, 1U);
  if (caps().lladdr) {
    EXPECT_FALSE(caps().lladdr->is_group());
  }
}

// --- start, stop, close ---

TEST_P(LinkContract, stops_harmlessly_when_not_started) {
  open();
  link_.stop();
  link_.stop();
  start();
  link_.stop();
  link_.stop();
  EXPECT_EQ(sink_.losses, decltype(sink_.losses){});
}

TEST_P(LinkContract, starts_again_after_stop) {
  ASK(world_->prepare_any(3));
  open_and_start();
  link_.stop();
  start();
  world_->release();
  link_.drain_all();
  EXPECT_EQ(sink_.frames.size(), 3U);
  send_all(burst_of(3));
}

TEST_P(LinkContract, is_silent_after_stop) {
  ASK(world_->prepare_any(40));
  open_and_start();
  if (!world_->arrives_when_released()) link_.drain(1);
  link_.stop();
  const std::size_t frames = sink_.frames.size(), readies = sink_.readies;
  world_->release();
  EXPECT_EQ(sink_.frames.size(), frames);
  EXPECT_EQ(sink_.readies, readies);
}

TEST_P(LinkContract, leaves_nothing_open_behind) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  ASK(world_->prepare_any(3));
  open_and_start();
  TearDown();
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) {
    open_and_start();
    send_all(burst_of(2));
    TearDown();
  }
  EXPECT_EQ(descriptors(), before);
  world_->release();  // to nobody
}

// --- errors ---

TEST_P(LinkContract, says_why_it_went_down_for_good) {
  ASK(world_->prepare_failure());
  open_and_start();
  world_->release();
  link_.drain_all();
  ASSERT_FALSE(sink_.states.empty());
  EXPECT_EQ(sink_.states.back(), net::LinkState::down);
  ASSERT_TRUE(sink_.why);
  EXPECT_NE(sink_.why->number(), 0);
  EXPECT_FALSE(sink_.why->text.empty());
}

TEST_P(LinkContract, says_at_the_first_drain_what_happened_while_stopped) {
  ASK(world_->prepare_failure());
  open_and_start();
  link_.stop();
  world_->release();
  start();
  link_.drain_all();
  ASSERT_FALSE(sink_.states.empty());
  EXPECT_EQ(sink_.states.back(), net::LinkState::down);
  EXPECT_TRUE(sink_.why);
}

INSTANTIATE_TEST_SUITE_P(Backends, LinkContract, testing::ValuesIn(kBackends),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
