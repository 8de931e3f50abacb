// SPDX-License-Identifier: BSD-2-Clause
// What every test of the driver stands on: a simulated host with one domain, a table with the cloner `virt`, scripted
// wires, and listeners that write down what they hear. Nothing of the driver is replaced. One thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "tests/support/frames.hpp"
#include "virtif/virtif_module.hpp"

namespace rig {

using vif::Bytes;
using vif::DropReason;
using vif::Error;
using vif::Status;
using vif::host::sim::SimHost;
using vif::host::sim::SimWire;
using vif::host::sim::SimWires;
using vif::test::flat;
using vif::test::Frame;
using Strings = std::vector<std::string>;
using namespace vif::net;

inline constexpr MacAddress kPeer{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress kStranger{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr MacAddress kGroup{{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}};
inline constexpr std::uint16_t kType = 0x88b5;  // IEEE 802: local experimental 1

// A frame of `bytes` in all (at least 14), its payload counting up from `first`.
inline Frame frame(const MacAddress& dst, const MacAddress& src, std::size_t bytes = 60, unsigned first = 0) {
  Frame whole(bytes);
  EtherHeader{dst, src, kType}.store(whole.data());
  for (std::size_t i = kEtherHeaderBytes; i < bytes; ++i) whole[i] = static_cast<std::byte>(first + i);
  return whole;
}

// Takes what an interface passes up, and then does what the test wants done from there.
struct Received final : IfInput {
  struct Packet {
    Frame bytes;
    PktHdr hdr;
  };
  std::vector<Packet> packets;
  std::function<void(Ifnet&)> then;

  void input(Ifnet& ifp, MbufPtr packet) override {
    packets.push_back({flat(*packet), packet->pkthdr});
    if (then) then(ifp);
  }
};

struct Tapped final : BpfSink {
  std::vector<std::pair<BpfDirection, Frame>> frames;
  std::function<void()> then;

  void tap(const Mbuf& packet, BpfDirection direction, std::uint32_t) noexcept override {
    frames.emplace_back(direction, flat(packet));
    if (then) then();
  }
};

struct Events final : IfEventListener {
  Strings heard;
  std::function<void(Ifnet&, const std::string&)> then;

  void if_arrived(Ifnet& ifp) override { note(ifp, "arrived"); }
  void if_departed(Ifnet& ifp) override { note(ifp, "departed"); }
  void if_link_changed(Ifnet& ifp) override {
    constexpr const char* kWords[] = {"unknown", "down", "up"};
    note(ifp, kWords[static_cast<int>(ifp.link_state())]);
  }
  void note(Ifnet& ifp, const std::string& what) {
    heard.push_back(ifp.name() + " " + what);
    if (then) then(ifp, what);
  }
};

// The errno a request was refused with; 0 when it was done.
inline int error_of(const Status& status) { return status ? 0 : status.error().number(); }

class Rig : public testing::Test {
 protected:
  explicit Rig(const Domain::Config& config = {}, std::uint64_t seed = 1)
      : host(seed), domain(host.add_domain(config)), table(std::make_unique<IfCloneTable>(domain)) {
    domain.listen(events);
    auto made = vif::drv::VirtifModule::init(*table, wires, "virt");
    module = std::move(*made);
  }
  ~Rig() override {
    received.then = {};  // which may speak of what the test had on its stack
    events.then = {};
    host.settle();
    table.reset();
    EXPECT_EQ(domain.pool().in_use(), 0U) << "mbufs leaked";
    EXPECT_TRUE(domain.interfaces().empty());
  }

  Ifnet& create(const std::string& name) {
    auto made = table->create(name);
    if (!made) ADD_FAILURE() << made.error().text;
    (*made)->set_input(&received);
    return **made;
  }
  vif::drv::Virtif& softc(const std::string& name) { return dynamic_cast<vif::drv::Virtif&>(*table->find_clone(name)); }
  int link(Ifnet& ifp, const std::string& linkstr) { return error_of(ifp.ioctl(SetLinkstr{linkstr})); }
  int unlink(Ifnet& ifp) { return error_of(ifp.ioctl(UnsetLinkstr{})); }
  int up(Ifnet& ifp) { return error_of(ifp.ioctl(SetFlags{ifp.flags() | IFF_UP})); }
  int down(Ifnet& ifp) { return error_of(ifp.ioctl(SetFlags{ifp.flags() & ~std::uint32_t{IFF_UP}})); }
  int destroy(const std::string& name) { return error_of(table->destroy(name)); }

  // virt0, linked to the wire "w" and up; what happened on the way is forgotten.
  Ifnet& running() {
    Ifnet& ifp = create("virt0");
    EXPECT_EQ(link(ifp, "sim:w"), 0);
    EXPECT_EQ(up(ifp), 0);
    host.settle();
    wire().calls.clear();
    return ifp;
  }
  SimWire& wire(const std::string& name = "w") { return wires.wire(name); }

  // The frame as a chain of pieces of these sizes; the last piece takes the rest.
  MbufPtr chain(const Frame& whole, const std::vector<std::size_t>& pieces = {}) {
    Bytes rest = whole;
    MbufPtr packet;
    const auto add = [&](std::size_t bytes) {
      MbufPtr piece = domain.pool().copy_in(rest.first(bytes));
      rest = rest.subspan(bytes);
      if (packet) m_cat(packet, std::move(piece));
      else packet = std::move(piece);
    };
    for (const std::size_t bytes : pieces) add(bytes);
    add(rest.size());
    return packet;
  }
  int transmit(Ifnet& ifp, const Frame& whole, const std::vector<std::size_t>& pieces = {}) {
    return error_of(ifp.transmit(chain(whole, pieces)));
  }
  void arrive(const Frame& whole) {
    wire().arrive(whole);
    host.settle();
  }
  std::uint64_t dropped(const Ifnet& ifp, DropReason reason) { return ifp.counters.read().dropped(reason); }

  SimHost host;
  SimWires wires;
  Received received;
  Events events;
  Domain& domain;
  std::unique_ptr<vif::drv::VirtifModule> module;  // outlives the table
  std::unique_ptr<IfCloneTable> table;
};

}  // namespace rig
