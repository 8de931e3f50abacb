// SPDX-License-Identifier: BSD-2-Clause
// A scripted wire under `impair:`, which is the contract twice over: once with nothing impaired, once with every frame
// copied and queued as if something were (one in 1e11 is lost).
#include "hypercall/impair/impair_link.hpp"
#include "hypercall/scheme_table.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "tests/conformance/world.hpp"

namespace vif::test {
namespace {

class ImpairWorld final : public World {
 public:
  explicit ImpairWorld(std::string options) : options_(std::move(options)) {
    wire().caps.offload = net::OffloadSet::all();
    EXPECT_TRUE(
        schemes_.add("sim", [this](const auto& linkstr, const auto& owner) { return wires_.open(linkstr, owner); }));
  }

  CannotAsk prepare(const WireFrames& frames) override {
    arriving_ = frames;
    return {};
  }
  CannotAsk prepare_failure() override {
    failing_ = true;
    return {};
  }
  std::string linkstr() const override { return "impair:[sim:w],seed=1" + options_; }
  std::vector<Refused> refused() const override {
    return {{"impair:sim:w", "brackets"}, {"impair:[sim:w],loss=1", "loss"}, {"impair:[sim:w,x=1]", "x"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return host::open_impair_link(linkstr, owner, {schemes_, host_.clock});
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) wire().arrive(frame.bytes, frame.offload);
    if (failing_) wire().carrier(net::LinkState::down, fail(std::errc::io_error, "the cable is cut"));
  }
  bool arrives_when_released() const override { return true; }
  std::optional<WireFrames> sent() override {
    WireFrames frames;
    for (std::size_t i = 0; i < wire().sent.size(); ++i) frames.push_back({wire().sent[i], wire().sent_offload[i]});
    return frames;
  }

 private:
  host::sim::SimWire& wire() { return wires_.wire("w"); }

  const std::string options_;
  host::sim::SimWires wires_;
  host::SchemeTable schemes_;
  WireFrames arriving_;
  bool failing_ = false;
};

}  // namespace

std::unique_ptr<World> make_impair_off_world() { return std::make_unique<ImpairWorld>(""); }
std::unique_ptr<World> make_impair_world() { return std::make_unique<ImpairWorld>(",loss=0.000000001%"); }

}  // namespace vif::test
