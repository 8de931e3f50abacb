// SPDX-License-Identifier: BSD-2-Clause
// A replay on the simulated host: captures in memory, a wire that writes down what it was given and when. One thread.
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "hypercall/sim/sim_files.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "netstack/replay/replayer.hpp"
#include "tests/support/frames.hpp"

namespace vif::test {

// A frame for a capture; without a time it becomes a simple packet block, which only pcapng has.
struct Recorded {
  std::optional<Time> at;
  Frame bytes;
  std::uint32_t wire_bytes = 0;  // 0: not cut
  std::uint32_t link_type = net::kLinkTypeEthernet;
};

inline std::int64_t recorded_ns(Time at) { return 1'000'000'000'000'000'000 + at.count(); }

inline void write_capture(host::sim::SimFiles& files, const std::string& path, const std::vector<Recorded>& frames) {
  auto sink = files.create_sink(path);
  net::CaptureWriter writer(**sink, path.ends_with(".pcap") ? net::CaptureFormat::pcap : net::CaptureFormat::pcapng);
  std::vector<std::uint32_t> link_types;
  for (const Recorded& frame : frames) {
    auto at = std::find(link_types.begin(), link_types.end(), frame.link_type);
    if (at == link_types.end()) {
      ASSERT_TRUE(writer.add_interface("", frame.link_type));
      at = link_types.insert(at, frame.link_type);
    }
    const std::uint32_t bytes = static_cast<std::uint32_t>(frame.bytes.size());
    ASSERT_TRUE(writer.write({.bytes = frame.bytes,
                              .wire_bytes = frame.wire_bytes != 0 ? frame.wire_bytes : bytes,
                              .link_type = frame.link_type,
                              .interface = static_cast<std::uint32_t>(at - link_types.begin()),
                              .timestamp_ns = frame.at ? recorded_ns(*frame.at) : 0,
                              .has_time = frame.at.has_value()}));
  }
  if (frames.empty()) {
    ASSERT_TRUE(writer.add_interface("", net::kLinkTypeEthernet));
  }
  ASSERT_TRUE(writer.flush());
}

// The frame's number is in its first bytes behind the header.
inline Frame numbered(std::uint32_t number, std::size_t bytes = 60) {
  Frame frame = ether(kOurMac, 0x88b5, Frame(bytes - net::kEtherHeaderBytes));
  store_be32(frame.data() + net::kEtherHeaderBytes, number);
  return frame;
}

struct RecordingWire final : net::ReplayWire {
  explicit RecordingWire(net::Domain& at) : domain(at) {}

  struct Given {
    Time at;
    Frame bytes;
    bool operator==(const Given&) const = default;
  };
  Sent send(std::span<const Bytes> frames) override {
    ++calls;
    Sent answer{frames.size(), Answer::ok};
    if (!answers.empty()) {
      answer = answers.front();
      answers.pop_front();
    }
    for (const Bytes frame : frames.first(answer.taken)) given.push_back({domain.now(), {frame.begin(), frame.end()}});
    return answer;
  }
  std::vector<Time> times() const {
    std::vector<Time> at;
    for (const Given& frame : given) at.push_back(frame.at);
    return at;
  }
  std::vector<std::uint32_t> numbers() const {
    std::vector<std::uint32_t> numbers;
    for (const Given& frame : given) numbers.push_back(load_be32(frame.bytes.data() + net::kEtherHeaderBytes));
    return numbers;
  }

  net::Domain& domain;
  std::deque<Sent> answers;  // of the next calls; then: takes all
  std::vector<Given> given;
  std::size_t calls = 0;
};

class ReplayTest : public testing::Test {
 protected:
  void capture(const std::string& path, const std::vector<Recorded>& frames) { write_capture(files, path, frames); }
  // Frames 0, 1, 2 ... at these times.
  void capture_times(const std::string& path, const std::vector<Time>& times) {
    std::vector<Recorded> frames;
    for (const Time at : times) frames.push_back({at, numbered(static_cast<std::uint32_t>(frames.size()))});
    capture(path, frames);
  }
  net::Replayer& replay(std::vector<std::string> paths, const net::ReplayPlan& plan = {},
                        const net::ReplayFit& fit = {}) {
    auto opened = net::MergedCaptures::open(files, std::move(paths));
    EXPECT_TRUE(opened) << opened.error().text;
    replayer.reset();
    source = std::move(*opened);
    replayer.emplace(domain, *source, wire, plan, fit);
    replayer->start();
    return *replayer;
  }
  // In one step of virtual time after another, at most `at_most` of it.
  const net::ReplayTotals& played(net::Replayer& running, Time at_most = std::chrono::hours(24 * 365)) {
    host.run_until(domain.now() + at_most);
    EXPECT_EQ(running.state(), net::Replayer::State::done);
    const net::ReplayTotals& totals = running.totals();
    EXPECT_EQ(totals.records, totals.sent + totals.failed + refused(totals));
    return totals;
  }
  static std::uint64_t refused(const net::ReplayTotals& totals) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : totals.refused) sum += count;
    return sum;
  }

  host::sim::SimHost host{1};
  host::sim::SimFiles files;
  net::Domain& domain = host.add_domain({.pool = kSmallPool});
  RecordingWire wire{domain};
  std::unique_ptr<net::MergedCaptures> source;
  std::optional<net::Replayer> replayer;
};

}  // namespace vif::test
