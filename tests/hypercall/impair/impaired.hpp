// SPDX-License-Identifier: BSD-2-Clause
// virt0 on `impair:[sim:w],...`, on the simulated host: the test holds the wire under it and lets time pass.
#pragma once

#include <gtest/gtest.h>

#include "hypercall/sim/sim_link.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace vif::test {

// A base of its own: the wires outlive the Instance.
struct Wires {
  host::sim::SimWires wires;
  host::sim::SimWire& wire() { return wires.wire("w"); }
};

class Impaired : public Wires, public SimInstance {
 protected:
  Impaired() {
    EXPECT_TRUE(instance.schemes().add(
        "sim", [this](const drv::Linkstr& l, const drv::LinkOwner& owner) { return wires.open(l, owner); }));
  }

  net::Ifnet& impaired(const std::string& options) { return running("impair:[sim:w]" + options); }
  void pass(Time time) { host.run_until(host.clock.now() + time); }

  // `count` frames of `bytes` from the wire, now, stamped with the time; they differ in their last bytes.
  void arrive(std::size_t count, std::size_t bytes = 60) {
    for (std::size_t i = 0; i < count; ++i) wire().arrive(frame(bytes), {}, host.clock.wall_ns());
    host.settle();
  }
  void transmit(net::Ifnet& ifp, std::size_t count, std::size_t bytes = 60) {
    for (std::size_t i = 0; i < count; ++i) {
      (void)ifp.transmit(domain.pool().copy_in(frame(bytes)));
      if (ifp.snd.size() > 128) host.settle();
    }
    host.settle();
  }
  Frame frame(std::size_t bytes) {
    Frame made = ether(kOurMac, 0x88b5, counting(bytes - net::kEtherHeaderBytes));
    if (bytes >= 18) store_be32(made.data() + bytes - 4, next_frame_);
    ++next_frame_;
    return made;
  }

  // When each frame passed up so far was due, since `begun`.
  std::vector<Time> stamps(Time begun = {}) const {
    std::vector<Time> all;
    const std::int64_t epoch_ns = host::sim::SimClock().wall_ns();
    for (const Collected::Packet& packet : collected.packets) {
      all.push_back(Time(packet.header.timestamp_ns - epoch_ns) - begun);
    }
    return all;
  }

  static std::uint64_t dropped(const net::Ifnet& ifp, DropReason reason) { return ifp.counters.read().dropped(reason); }

 private:
  std::uint32_t next_frame_ = 0;
};

}  // namespace vif::test
