// SPDX-License-Identifier: BSD-2-Clause
// A bridge of three ports on scripted wires "0", "1" and "2", under virtual time. Its sums are checked at the end.
#pragma once

#include "netstack/if_bridge.hpp"
#include "tests/virtif/rig.hpp"

namespace rig {

using namespace std::chrono_literals;

inline constexpr vif::Time kNoProbes{};

class BridgeRig : public Rig {
 protected:
  using Counts = std::vector<std::size_t>;
  using Frames = std::vector<Frame>;

  void TearDown() override {
    if (bridge) expect_sums();
    bridge.reset();
  }
  // For the tests of what others than probes do.
  void make(Bridge::Config config = {}, const BridgePortSettings& settings = {}) {
    config.probe_interval = kNoProbes;
    make_probing(config, settings);
  }
  void make_probing(const Bridge::Config& config, const BridgePortSettings& settings = {}) {
    bridge = std::make_unique<Bridge>(domain, config);
    for (const char* name : {"0", "1", "2"}) {
      Ifnet& ifp = create(std::string("virt") + name);
      ASSERT_EQ(link(ifp, std::string("sim:") + name), 0);
      ASSERT_EQ(up(ifp), 0);
      ASSERT_EQ(error_of(bridge->add(ifp, settings)), 0);
      ports.push_back(&ifp);
    }
    host.settle();
  }
  void set(int port, const BridgePortSettings& settings) { ASSERT_EQ(error_of(bridge->set(ifp(port), settings)), 0); }
  void hear(int port, const Frame& frame, const Offload& offload = {}) {
    wire(std::to_string(port)).arrive(frame, offload);
    host.settle();
  }
  void pass(vif::Time time) { host.run_until(host.clock.now() + time); }
  // What the wire was given since the last call.
  std::vector<Frame> sent(int port) {
    SimWire& w = wire(std::to_string(port));
    w.sent_offload.clear();
    w.sent_slices.clear();
    return std::exchange(w.sent, {});
  }
  Counts sent() { return {sent(0).size(), sent(1).size(), sent(2).size()}; }
  Ifnet& ifp(int port) { return *ports[static_cast<std::size_t>(port)]; }
  BridgePortData data(int port) { return *bridge->data(ifp(port)); }
  std::uint64_t count(int port, BridgeFate fate) { return data(port).count(fate); }

  // Of ports that were members from the beginning.
  void expect_sums() {
    for (const Ifnet* const port : ports) {
      const auto bridged = bridge->data(*port);
      if (!bridged) continue;
      std::uint64_t in = 0;
      for (const std::uint64_t frames : bridged->fates) in += frames;
      EXPECT_EQ(in, port->counters.ipackets.get()) << port->name();
      EXPECT_EQ(bridged->given, port->counters.read().offered()) << port->name();
    }
  }

  const MacAddress a = kPeer, b = kStranger;
  std::vector<Ifnet*> ports;
  std::unique_ptr<Bridge> bridge;
};

}  // namespace rig
