// SPDX-License-Identifier: BSD-2-Clause
// A tap: link in a network namespace of its own, and the host's side of it. One thread, which is inside the namespace.
#pragma once

#include <poll.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "tests/support/host_faults.hpp"
#include "tests/support/net_namespace.hpp"
#include "tests/support/packet_socket.hpp"
#include "tests/support/some_owner.hpp"

namespace vif::test {

class TapRig : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    NetNamespace::without_ipv6();
  }
  void TearDown() override {
    if (tap.link.port) close();
  }

  Result<drv::OpenLink> try_open(const std::string& linkstr) {
    return host::open_tap_link(*drv::Linkstr::parse(linkstr), owner, watch, clock);
  }
  void open(const std::string& linkstr) {
    auto opened = try_open(linkstr);
    ASSERT_TRUE(opened) << opened.error().text;
    tap.link = std::move(*opened);
    tap.link.port->set_receive_filter({.lladdr = kOurMac});
  }
  void close() {
    tap.stop();
    tap.link.port.reset();
  }
  // viftap, up on both sides, with the packet socket on the host's.
  void up(const std::string& options = "") {
    open("tap:viftap" + options);
    if (HasFatalFailure()) return;
    NetNamespace::ip("link set viftap up");
    far.emplace("viftap");
    ASSERT_TRUE(tap.start());
    tap.drain_all();
    tap.sink.states.clear();
    ASSERT_EQ(tap.link.caps.mtu_bytes, 1500U);
  }
  // What the domain's loop would do until there is nothing more to do. False: it was told of nothing.
  bool settle() {
    const std::size_t before = tap.sink.readies;
    watch.collect();
    const bool told = tap.sink.readies > before;
    if (told) tap.drain_all();
    return told;
  }
  // After `words` the link has heard of it.
  void after(const std::string& words) {
    NetNamespace::ip(words);
    pollfd waited{watch.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&waited, 1, 2000), 1) << words;
    EXPECT_TRUE(settle()) << words;
  }
  std::uint64_t lost(DropReason reason) const { return tap.sink.lost(reason); }
  net::LinkState state() const { return tap.sink.states.empty() ? tap.link.caps.link_state : tap.sink.states.back(); }
  std::string why() const { return tap.sink.why ? tap.sink.why->text : ""; }

  // A frame to us, from the host.
  static WireFrame to_us(std::size_t bytes = 60, const net::MacAddress& dst = kOurMac) {
    return {ether(dst, 0x88b5, counting(bytes - net::kEtherHeaderBytes))};
  }
  static WireFrames many_to_us(std::size_t count, std::size_t bytes = 60) {
    WireFrames frames(count, to_us(bytes));
    for (std::size_t i = 0; i < count; ++i) store_be16(frames[i].bytes.data() + 14, static_cast<std::uint16_t>(i));
    return frames;
  }
  void from_host(const WireFrames& frames) {
    for (const WireFrame& frame : frames) ASSERT_TRUE(far->send(frame)) << std::strerror(errno);
  }

  NetNamespace network;
  SomeOwner owner;
  host::LinuxClock clock;
  host::FdWatch watch = *host::FdWatch::create();
  RecordedLink tap;
  std::optional<PacketSocket> far;
};

}  // namespace vif::test
