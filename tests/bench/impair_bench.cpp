// SPDX-License-Identifier: BSD-2-Clause
// What `impair:` adds to a frame, each way: null: behind it beside null: alone, with everything off (the bar is 15 ns),
// and for information with everything on. The driver is a sink that counts. impair_bench [rounds]
#include <algorithm>
#include <array>

#include "hypercall/impair/impair_link.hpp"
#include "hypercall/null_link.hpp"
#include "hypercall/scheme_table.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;

constexpr std::size_t kBurst = 32;
constexpr std::size_t kFrames = 1'000'000;  // a round
constexpr double kBarNs = 15;
constexpr double kLeastNs = 0.1;  // of a difference that can be told from none

class CountSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override { frames += burst.size(); }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t) override {}
  std::uint64_t frames = 0;
};

// A microsecond goes by between two looks.
class SteppingClock final : public ClockPort {
 public:
  Time now() override { return now_ += Time(1000); }
  std::int64_t wall_ns() override { return now_.count(); }

 private:
  Time now_{};
};

// A started link and its sink.
class Link {
 public:
  Link(host::SchemeTable& schemes, const std::string& linkstr) {
    auto opened = schemes.open(*drv::Linkstr::parse(linkstr), owner_);
    if (!opened) bench::give_up(opened.error().text);
    port_ = std::move(opened->port);
    if (!port_->start(sink_)) bench::give_up("cannot start " + linkstr);
  }
  ~Link() { port_->stop(); }

  double receive() {
    const std::uint64_t end = sink_.frames + kFrames;
    const double begun = bench::now_ns();
    while (sink_.frames < end) port_->drain(kBurst);
    return (bench::now_ns() - begun) / static_cast<double>(kFrames);
  }
  double send() {
    const std::array<std::byte, 64> bytes{};
    const Bytes slice = bytes;
    std::array<drv::TxFrame, kBurst> burst;
    burst.fill({{&slice, 1}, bytes.size(), {}});
    const double begun = bench::now_ns();
    for (std::size_t sent = 0; sent < kFrames; sent += kBurst) port_->send(burst);
    return (bench::now_ns() - begun) / static_cast<double>(kFrames);
  }

 private:
  test::SomeOwner owner_;
  CountSink sink_;
  std::unique_ptr<drv::LinkPort> port_;
};

void compare(const std::string& what, int rounds, host::SchemeTable& schemes, double (Link::*way)()) {
  const std::string endless = "null:,rx=18446744073709551615";
  Link alone(schemes, endless), off(schemes, "impair:[" + endless + "]");
  Link on(schemes, "impair:[" + endless + "],loss=1%,dup=1%,corrupt=1%,delay=10us,jitter=5us,rate=1tbit,seed=1");
  const auto added = [&](Link& link) { return std::max((link.*way)() - (alone.*way)(), kLeastNs); };
  bench::Comparison("impair: what it adds, " + what,
                    {{"everything off", [&] { return added(off); }},
                     {"the 15 ns it may", [] { return kBarNs; }},
                     {"everything on", [&] { return added(on); }}},
                    {{"the 15 ns it may", 1}})
      .run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 5);
  bench::begin();
  bench::print_calibration();
  SteppingClock clock;
  host::SchemeTable schemes;
  const auto impair = [&](const auto& linkstr, const auto& owner) {
    return host::open_impair_link(linkstr, owner, {schemes, clock});
  };
  if (!schemes.add("null", host::open_null_link) || !schemes.add("impair", impair)) bench::give_up("no schemes");
  compare("receive 64 B", rounds, schemes, &Link::receive);
  compare("send 64 B", rounds, schemes, &Link::send);
}
