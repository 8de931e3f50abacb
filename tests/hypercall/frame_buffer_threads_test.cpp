// SPDX-License-Identifier: BSD-2-Clause
// Several senders, one receiver: every frame arrives whole or is counted as overrun, each sender's in its order.
#include <gtest/gtest.h>

#include <thread>

#include "hypercall/frame_buffer.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

constexpr unsigned kSenders = 3;
constexpr std::uint32_t kBursts = 3000;
constexpr std::uint32_t kBurst = 8;

// Frames say who sent them and which one it is, and are filled with that.
struct Checked final : drv::LinkSink {
  void deliver(std::span<const drv::RxFrame> frames) override {
    for (const drv::RxFrame& frame : frames) {
      const std::byte* const at = frame.bytes.data();
      const std::uint32_t sender = load_be32(at), number = load_be32(at + 4);
      ASSERT_LT(sender, kSenders);
      ASSERT_TRUE(number > last[sender] || last[sender] == 0) << "out of order";
      last[sender] = number;
      for (const std::byte byte : frame.bytes.subspan(8)) ASSERT_EQ(byte, static_cast<std::byte>(number));
      ++delivered;
    }
  }
  void ready() override { woken = true; }
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t frames) override { overrun += frames; }

  std::array<std::uint32_t, kSenders> last{};
  std::uint64_t delivered = 0, overrun = 0;
  std::atomic<bool> woken{false};
};

TEST(ExchangeThreads, deliver_or_count_every_frame) {
  host::FrameExchange exchange;
  Checked sink;
  exchange.open(sink);
  std::atomic<unsigned> running{kSenders};
  std::vector<std::thread> senders;
  for (std::uint32_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (std::uint32_t burst = 0; burst < kBursts; ++burst) {
        std::array<Frame, kBurst> frames;
        std::array<Bytes, kBurst> slices;
        std::array<drv::TxFrame, kBurst> views;
        for (std::uint32_t i = 0; i < kBurst; ++i) {
          const std::uint32_t number = burst * kBurst + i + 1;
          frames[i].assign(60 + number % 700, static_cast<std::byte>(number));
          store_be32(frames[i].data(), sender);
          store_be32(frames[i].data() + 4, number);
          slices[i] = frames[i];
          views[i] = {{&slices[i], 1}, static_cast<std::uint32_t>(frames[i].size())};
        }
        exchange.push(views, 0);
      }
      --running;
    });
  }
  while (running > 0 || sink.woken) {
    if (sink.woken.exchange(false)) {
      while (exchange.drain(64, sink)) continue;
    } else {
      std::this_thread::yield();
    }
  }
  for (std::thread& sender : senders) sender.join();
  while (exchange.drain(64, sink)) continue;
  EXPECT_EQ(sink.delivered + sink.overrun, std::uint64_t{kSenders} * kBursts * kBurst);
  EXPECT_GT(sink.delivered, 0U);
  exchange.close();
}

}  // namespace
