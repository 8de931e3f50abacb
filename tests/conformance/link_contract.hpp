// SPDX-License-Identifier: BSD-2-Clause
// What every question to a backend begins with: a link of it, opened and listened to. One thread.
#pragma once

#include <memory>

#include "tests/conformance/world.hpp"

namespace vif::test {

inline constexpr std::uint16_t kType = 0x88b5;  // IEEE 802, local experimental EtherType 1

// A frame of `bytes` in all that differs from its neighbours in a burst.
inline WireFrame numbered(std::size_t bytes, unsigned number = 0, const net::MacAddress& dst = kOurMac) {
  WireFrame frame{ether(dst, kType, counting(bytes - net::kEtherHeaderBytes))};
  if (bytes > net::kEtherHeaderBytes) frame.bytes.back() = static_cast<std::byte>(number);
  return frame;
}

inline WireFrames burst_of(std::size_t count, std::size_t bytes = 60) {
  WireFrames frames;
  for (unsigned i = 0; i < count; ++i) frames.push_back(numbered(bytes, i));
  return frames;
}

// For what a world answers to anything(), and to prepare...().
#define VIF_SKIP_WHERE(cannot_ask)                      \
  if (const auto cannot = (cannot_ask)) {               \
    GTEST_SKIP() << GetParam().name << ": " << *cannot; \
  }

class LinkContract : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { VIF_SKIP_WHERE(world_->anything()); }
  void TearDown() override {
    if (link_.link.port) link_.stop();
    link_.link.port.reset();
  }

  Result<drv::OpenLink> try_open(const std::string& linkstr) {
    Result<drv::Linkstr> parsed = drv::Linkstr::parse(linkstr);
    if (!parsed) return std::move(parsed).error();
    return world_->open(*parsed, {ifname_, kOurMac, world_->domain()});
  }
  // With nothing to receive unless the test has prepared something.
  void open() {
    if (!prepared_) world_->prepare({});
    Result<drv::OpenLink> opened = try_open(world_->linkstr());
    ASSERT_TRUE(opened) << opened.error().text;
    link_.link = std::move(*opened);
  }
  void start() {
    link_.link.port->set_receive_filter({.lladdr = kOurMac});
    ASSERT_TRUE(link_.start());
  }
  void open_and_start() {
    open();
    if (!HasFatalFailure()) start();
  }
  void send_all(const WireFrames& frames, std::size_t slices = 1) {
    const drv::SendResult result = link_.send(frames, slices);
    EXPECT_EQ(result.taken, frames.size());
    EXPECT_EQ(result.status, drv::SendStatus::ok);
  }
  // What was sent, as the far side saw it; false: nobody sees it.
  bool compare_sent(const WireFrames& frames) {
    link_.stop();
    const std::optional<WireFrames> seen = world_->sent();
    if (seen) expect_same(*seen, frames);
    return seen.has_value();
  }
  // Without printing a quarter of a megabyte.
  static void expect_same(const WireFrames& seen, const WireFrames& frames) {
    ASSERT_EQ(seen.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_TRUE(seen[i] == frames[i]) << "frame " << i << " of " << frames[i].bytes.size() << " bytes";
    }
  }
  const drv::LinkCaps& caps() const { return link_.link.caps; }
  std::size_t largest() const { return caps().frame_bytes_max; }

  std::string ifname_ = "virt0";
  std::unique_ptr<World> world_ = GetParam().make();
  bool prepared_ = false;
  RecordedLink link_;
  RecordingSink& sink_ = link_.sink;
};

#define ASK(prepare)       \
  VIF_SKIP_WHERE(prepare); \
  prepared_ = true

}  // namespace vif::test
