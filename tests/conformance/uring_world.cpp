// SPDX-License-Identifier: BSD-2-Clause
// The worlds of scheme uring: one end of a real veth pair, by each way to receive. The other end sends and sees.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "hypercall/pcapdev/pcapdev_link.hpp"
#include "hypercall/uring/uring_link.hpp"
#include "tests/conformance/world.hpp"
#include "tests/support/host_faults.hpp"
#include "tests/support/packet_socket.hpp"
#include "tests/support/veth_pair.hpp"

namespace vif::test {
namespace {

class UringWorld : public World {
 public:
  // `missing`: the host answers as if it did not have this call.
  UringWorld(std::string options, const char* missing) : options_(std::move(options)), missing_(missing) {
    if (!network_.why_not().empty()) return;
    make_veth_pair(65'535);
    peer_.emplace("vifb");
    witness_.emplace("vifa");
    auto watch = host::FdWatch::create();
    EXPECT_TRUE(watch);
    if (watch) watch_.emplace(std::move(*watch));
  }

  CannotAsk anything() const override {
    if (network_.why_not().empty()) return {};
    return network_.why_not();
  }
  CannotAsk prepare(const WireFrames& frames) override {
    arriving_ = frames;
    return {};
  }
  CannotAsk prepare_failure() override {
    failing_ = true;
    return {};
  }
  std::string linkstr() const override { return "uring:vifa" + options_; }
  std::vector<Refused> refused() const override {
    return {{"uring:", "network interface"}, {"uring:[null:]", "network interface"},
            {"uring:vifa,qdisc", "bypass"},  {"uring:vifa,qdisc=fast", "bypass"},
            {"uring:vifa,latency=1", "low"}, {"uring:vifa,ring=0", "1 to 1024"},
            {"uring:vifa,ring=16m", "16m"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    HostFaults host;
    if (missing_ != nullptr) host.fail(missing_, ENOSYS);
    return host::open_uring_link(linkstr, owner, *watch_);
  }

  void release() override {
    const WireFrames frames = std::exchange(arriving_, {});
    for (const WireFrame& frame : frames) EXPECT_TRUE(peer_->send(frame)) << std::strerror(errno);
    if (std::this_thread::get_id() != thread_) return;
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_TRUE(witness_->receive(5000)) << "not all came";
    if (failing_) NetNamespace::ip("link del vifb");
    // A block that is not full is handed over within a millisecond; the interface's changes take no time of ours.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    watch_->collect();
  }
  bool arrives_when_released() const override { return true; }
  bool releases_from_any_thread() const override { return true; }
  std::optional<WireFrames> sent() override { return peer_->receive_all(); }

 protected:
  host::FdWatch& watch() { return *watch_; }

 private:
  const std::string options_;
  const char* const missing_;
  const std::thread::id thread_ = std::this_thread::get_id();
  NetNamespace network_;
  std::optional<PacketSocket> peer_;
  std::optional<PacketSocket> witness_;  // of what comes to our end
  std::optional<host::FdWatch> watch_;
  WireFrames arriving_;
  bool failing_ = false;
};

// The same wire through libpcap.
class PcapdevWorld final : public UringWorld {
 public:
  PcapdevWorld() : UringWorld("", nullptr) {}
  std::string linkstr() const override { return "pcapdev:vifa"; }
  std::vector<Refused> refused() const override {
    return {{"pcapdev:", "network interface"},
            {"pcapdev:[null:]", "network interface"},
            {"pcapdev:vifa,filter=ether proto", "filter"},
            {"pcapdev:vifa,filter=host example.org", "example.org"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return host::open_pcapdev_link(linkstr, owner, watch());
  }
};

}  // namespace

std::unique_ptr<World> make_pcapdev_world() { return std::make_unique<PcapdevWorld>(); }
std::unique_ptr<World> make_uring_world() { return std::make_unique<UringWorld>("", nullptr); }
std::unique_ptr<World> make_uring_low_latency_world() {
  return std::make_unique<UringWorld>(",latency=low,qdisc=bypass", nullptr);
}
std::unique_ptr<World> make_uring_ringless_world() { return std::make_unique<UringWorld>("", "mmap"); }

}  // namespace vif::test
