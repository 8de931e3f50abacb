// SPDX-License-Identifier: BSD-2-Clause
// The worlds of tap:, with and without offload: a network namespace with nothing in it but lo and the TAP, and a packet
// socket on the host's side of that.
#include <unistd.h>

#include <thread>

#include "hypercall/linux_ports.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "tests/conformance/world.hpp"
#include "tests/support/net_namespace.hpp"
#include "tests/support/packet_socket.hpp"

namespace vif::test {
namespace {

constexpr const char* kName = "viftap";

class TapWorld final : public World {
 public:
  explicit TapWorld(bool offload) : offload_(offload) {
    if (network_.why_not().empty()) NetNamespace::without_ipv6();
  }

  CannotAsk anything() const override {
    if (!network_.why_not().empty()) return network_.why_not();
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "no use of /dev/net/tun";
    return {};
  }
  CannotAsk prepare(const WireFrames& frames) override {
    constexpr std::size_t kHostFrameBytesMax = 65'521 + net::kEtherHeaderBytes;  // the largest MTU of a TAP
    for (const WireFrame& frame : frames) {
      if (frame.bytes.size() > kHostFrameBytesMax) return "the host sends nothing so large that is no super-frame";
    }
    arriving_ = frames;
    return {};
  }
  CannotAsk prepare_failure() override {
    failing_ = true;
    return {};
  }
  std::string linkstr() const override { return std::string("tap:") + kName + (offload_ ? "" : ",offload=off"); }
  std::vector<Refused> refused() const override {
    return {{"tap:a/b", "a/b"},
            {"tap:a b", "a b"},
            {"tap:a:b", "a:b"},
            {"tap:sixteen-letters-", "sixteen"},
            {"tap:[mem:x]", "mem:x"},
            {"tap:x,offload=maybe", "offload"},
            {"tap:x,offload", "offload"},
            {"tap:x,persist=1", "persist"},
            {"tap:lo", "lo"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    far_.reset();
    auto opened = host::open_tap_link(linkstr, owner, watch_, clock_);
    if (opened) {
      NetNamespace::ip(std::string("link set ") + kName + " mtu 65521 up");
      far_.emplace(kName);
    }
    return opened;
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) (void)far_->send(frame);
    if (std::exchange(failing_, false)) NetNamespace::ip(std::string("link del ") + kName);
    if (std::this_thread::get_id() == thread_) watch_.collect();
  }
  bool arrives_when_released() const override { return true; }
  bool releases_from_any_thread() const override { return true; }
  std::optional<WireFrames> sent() override { return far_->receive_all(); }

 private:
  const bool offload_;
  const std::thread::id thread_ = std::this_thread::get_id();
  NetNamespace network_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = *host::FdWatch::create();
  std::optional<PacketSocket> far_;
  WireFrames arriving_;
  bool failing_ = false;
};

}  // namespace

std::unique_ptr<World> make_tap_world() { return std::make_unique<TapWorld>(true); }
std::unique_ptr<World> make_tap_plain_world() { return std::make_unique<TapWorld>(false); }

}  // namespace vif::test
