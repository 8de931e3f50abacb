// SPDX-License-Identifier: BSD-2-Clause
// The world of shm: another attacher of the segment is the other side.
#include <gtest/gtest.h>
#include <unistd.h>

#include "hypercall/shm/shm_link.hpp"
#include "tests/conformance/world.hpp"

namespace vif::test {
namespace {

const net::MacAddress kFarMac = {{0x02, 0, 0, 0, 0xfa, 0x12}};

class ShmWorld final : public World {
 public:
  ~ShmWorld() override {
    if (far_.link.port) stop_far();
  }
  CannotAsk prepare(const WireFrames& frames) override {
    arriving_ = frames;
    return {};
  }
  std::string linkstr() const override { return "shm:/conformance-" + std::to_string(::getpid()); }
  std::vector<Refused> refused() const override {
    return {{"shm:", "/NAME"},       {"shm:lan", "slash"},           {"shm:/", "slash"},
            {"shm:/a/b", "slash"},   {"shm:/a%20b", "letters"},      {"shm:/" + std::string(65, 'a'), "64"},
            {"shm:[mem:x]", "NAME"}, {"shm:/lan,mode=0666", "0660"}, {"shm:/lan,mode", "mode"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    if (!far_.link.port && linkstr.format() == this->linkstr()) open_far(linkstr);
    return host::open_shm_link(linkstr, owner, watch_, clock_);
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) EXPECT_EQ(far_.send({frame}).taken, 1U);
    watch_.collect();
  }
  bool arrives_when_released() const override { return true; }
  std::optional<WireFrames> sent() override {
    stop_far();
    return far_.sink.frames;
  }

 private:
  void open_far(const drv::Linkstr& linkstr) {
    const std::string name = "far";
    auto opened = host::open_shm_link(linkstr, {name, kFarMac, domain()}, watch_, clock_);
    ASSERT_TRUE(opened) << opened.error().text;
    far_.link = std::move(*opened);
    far_.start();
  }
  void stop_far() {
    if (std::exchange(stopped_, true)) return;
    far_.drain_all();
    far_.stop();
  }

  host::sim::SimClock clock_;
  host::FdWatch watch_ = *host::FdWatch::create();
  RecordedLink far_;
  bool stopped_ = false;
  WireFrames arriving_;
};

}  // namespace

std::unique_ptr<World> make_shm_world() { return std::make_unique<ShmWorld>(); }

}  // namespace vif::test
