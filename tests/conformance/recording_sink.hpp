// SPDX-License-Identifier: BSD-2-Clause
// The driver as a backend's test plays it: writes down every upcall, and fails the test when one comes at the wrong
// time. One thread, but for ready().
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "tests/support/frames.hpp"
#include "virtif/link.hpp"

namespace vif::test {

struct WireFrame {
  Frame bytes;
  net::Offload offload = {};
  friend bool operator==(const WireFrame&, const WireFrame&) = default;
};
using WireFrames = std::vector<WireFrame>;

class RecordingSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override {
    EXPECT_EQ(during, During::drain) << "frames come from inside drain only";
    EXPECT_FALSE(burst.empty());
    for (const drv::RxFrame& frame : burst) {
      frames.push_back({{frame.bytes.begin(), frame.bytes.end()}, frame.offload});
      timestamps_ns.push_back(frame.timestamp_ns);
      wire_bytes.push_back(frame.wire_bytes);
    }
  }
  void ready() override { ++readies; }
  void link_changed(net::LinkState state, const Error* error) override {
    EXPECT_EQ(during, During::drain) << "the carrier changes from inside drain only";
    states.push_back(state);
    if (error != nullptr) why = *error;
  }
  void caps_changed(const drv::LinkCaps& now) override {
    EXPECT_EQ(during, During::drain) << "the wire changes from inside drain only";
    caps.push_back(now);
  }
  void lost(DropReason reason, std::uint64_t count) override {
    EXPECT_NE(during, During::nothing) << "losses are reported from inside drain and stop only";
    losses[static_cast<std::size_t>(reason)] += count;
  }
  std::uint64_t lost(DropReason reason) const { return losses[static_cast<std::size_t>(reason)]; }

  // What the backend is in just now.
  enum class During : std::uint8_t { nothing, drain, stop };
  During during = During::nothing;

  WireFrames frames;
  std::vector<std::int64_t> timestamps_ns;  // of frames
  std::vector<std::uint32_t> wire_bytes;
  std::atomic<std::size_t> readies{0};
  std::vector<net::LinkState> states;
  std::optional<Error> why;
  std::vector<drv::LinkCaps> caps;  // as they changed
  std::array<std::uint64_t, kDropReasons> losses{};
};

// An open link and who listens to it.
class RecordedLink {
 public:
  bool start() {
    const Status started = link.port->start(sink);
    EXPECT_TRUE(started) << started.error().text;
    return started.has_value();
  }
  void stop() {
    sink.during = RecordingSink::During::stop;
    link.port->stop();
    sink.during = RecordingSink::During::nothing;
  }
  bool drain(std::size_t budget) {
    sink.during = RecordingSink::During::drain;
    const bool more = link.port->drain(budget);
    sink.during = RecordingSink::During::nothing;
    return more;
  }
  void drain_all() {
    for (int rounds = 0; drain(64); ++rounds) ASSERT_LT(rounds, 100'000) << "drain never ends";
  }
  drv::SendResult send(const WireFrames& frames, std::size_t slices = 1);
  drv::SendResult send(const Frame& frame) { return send(WireFrames{{frame}}); }

  drv::OpenLink link;
  RecordingSink sink;
};

// A frame as one or more slices; the bytes stay the caller's.
class Sliced {
 public:
  Sliced(const WireFrame& frame, std::size_t slices)
      : bytes_(static_cast<std::uint32_t>(frame.bytes.size())), offload_(frame.offload) {
    Bytes rest = frame.bytes;
    for (; slices > 1 && rest.size() > 1; --slices) {
      const std::size_t piece = std::max<std::size_t>(1, rest.size() / slices);
      slices_.push_back(rest.first(piece));
      rest = rest.subspan(piece);
    }
    slices_.push_back(rest);
  }
  drv::TxFrame view() const { return {slices_, bytes_, offload_}; }

 private:
  std::vector<Bytes> slices_;
  std::uint32_t bytes_;
  net::Offload offload_;
};

inline drv::SendResult RecordedLink::send(const WireFrames& frames, std::size_t slices) {
  std::vector<Sliced> sliced;
  for (const WireFrame& frame : frames) sliced.emplace_back(frame, slices);
  std::vector<drv::TxFrame> views;
  for (const Sliced& frame : sliced) views.push_back(frame.view());
  return link.port->send(views);
}

}  // namespace vif::test
