// SPDX-License-Identifier: BSD-2-Clause
// vxlan: on the loopback interface, at addresses of this process's own; the other side is a plain UDP socket that knows
// what RFC 7348 says and nothing of ours. Needs no rights.
#include <gtest/gtest.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/vxlan/vxlan_link.hpp"
#include "tests/conformance/world.hpp"
#include "tests/hypercall/vxlan/tunnel_ends.hpp"

namespace vif::test {
namespace {

class VxlanWorld final : public World {
 public:
  CannotAsk prepare(const WireFrames& frames) override {
    for (const WireFrame& frame : frames) {
      if (frame.offload != net::Offload{}) return "a tunnel knows no offload";
    }
    arriving_ = frames;
    return {};
  }
  std::string linkstr() const override { return "vxlan:" + far() + ",vni=7,local=" + near(); }
  std::vector<Refused> refused() const override {
    return {{"vxlan:", "address"},
            {"vxlan:" + far(), "vni"},
            {"vxlan:" + far() + ",vni=99999999", "16777215"},
            {"vxlan:[mem:x],vni=7", "address"},
            {"vxlan:nobody,vni=7", "nobody"},
            {"vxlan:" + far() + ",vni=7,local=here", "here"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return host::open_vxlan_link(linkstr, owner, watch_, clock_);
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) far_.send(near(), in_vxlan(frame.bytes));
    pollfd waited{watch_.fd(), POLLIN, 0};  // a busy host may still be carrying them
    ::poll(&waited, 1, 20);
    watch_.collect();
  }
  bool arrives_when_released() const override { return true; }
  std::optional<WireFrames> sent() override {
    WireFrames frames;
    for (const Frame& datagram : far_.receive()) {
      EXPECT_EQ(Frame(datagram.begin(), datagram.begin() + 8), in_vxlan({}));
      frames.push_back({{datagram.begin() + 8, datagram.end()}});
    }
    return frames;
  }

 private:
  static std::string host(int number) {
    const int process = ::getpid();
    return "127." + std::to_string(1 + process / 256 % 254) + "." + std::to_string(process % 256) + "." +
           std::to_string(number);
  }
  static std::string near() { return host(1); }
  static std::string far() { return host(2); }

  host::LinuxClock clock_;
  host::FdWatch watch_ = std::move(*host::FdWatch::create());
  PlainEnd far_{far()};
  WireFrames arriving_;
};

}  // namespace

std::unique_ptr<World> make_vxlan_world() { return std::make_unique<VxlanWorld>(); }

}  // namespace vif::test
