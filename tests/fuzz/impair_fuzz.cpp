// SPDX-License-Identifier: BSD-2-Clause
// Any text as the options of `impair:`, and any traffic through what they make, on the simulated host: refused with
// EINVAL and a reason, or every frame comes out, waits or is counted.
#include <cstdint>

#include "hypercall/impair/impair_link.hpp"
#include "hypercall/scheme_table.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"

namespace {

using namespace vif;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// Counts both ways.
class Sink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> frames) override {
    require(draining && !frames.empty());
    delivered += frames.size();
  }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason reason, std::uint64_t frames) override {
    const bool sent = reason == DropReason::tx_impaired || reason == DropReason::tx_error;
    (sent ? lost_sent : lost_received) += frames;
  }

  std::uint64_t delivered = 0, lost_received = 0, lost_sent = 0;
  bool draining = false;
};

class Traffic {
 public:
  explicit Traffic(drv::LinkPort& port, host::sim::SimHost& host, net::Domain& domain, host::sim::SimWire& wire)
      : port_(port), host_(host), domain_(domain), wire_(wire) {}

  void run(Bytes script, bool doubles) {
    require(port_.start(sink_).has_value());
    for (; script.size() >= 2; script = script.subspan(2)) act(std::to_integer<unsigned>(script[0]), script[1]);
    port_.stop();
    // What stop reports is all that was left.
    const std::uint64_t received = sink_.delivered + sink_.lost_received;
    require(doubles ? received >= arrived_ : received == arrived_);
    const std::uint64_t sent = wire_.sent.size() + sink_.lost_sent;
    require(doubles ? sent >= taken_ : sent == taken_);
    require(sink_.lost_sent <= taken_);
  }

 private:
  void act(unsigned what, std::byte how) {
    const unsigned amount = std::to_integer<unsigned>(how);
    switch (what % 5) {
      case 0:
        wire_.arrive(host::sim::SimWire::Frame(amount));
        ++arrived_;
        drain();
        break;
      case 1:
        send(amount + 1);
        break;
      case 2:
        host_.clock.set(host_.clock.now() + Time(std::uint64_t{amount} << what / 5 % 32));
        domain_.poll(host_.clock.now(), 64);
        drain();
        break;
      case 3:
        wire_.send_answers.push_back({amount % 8, static_cast<drv::SendStatus>(1 + amount / 8 % 3)});
        break;
      case 4:
        drain();
        break;
    }
  }
  void send(unsigned bytes) {
    const std::vector<std::byte> frame(bytes);
    const Bytes slice = frame;
    const drv::TxFrame burst[] = {{{&slice, 1}, bytes, {}}, {{&slice, 1}, bytes, {}}};
    taken_ += port_.send(burst).taken;
  }
  void drain() {
    sink_.draining = true;
    for (int rounds = 0; port_.drain(16); ++rounds) require(rounds < 10'000);
    sink_.draining = false;
  }

  drv::LinkPort& port_;
  host::sim::SimHost& host_;
  net::Domain& domain_;
  host::sim::SimWire& wire_;
  Sink sink_;
  std::uint64_t arrived_ = 0, taken_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string options(all.substr(0, all.find('\n')));
  const auto linkstr = drv::Linkstr::parse("impair:[sim:w]," + options);
  if (!linkstr) return 0;
  host::sim::SimHost host(1);
  net::Domain& domain = host.add_domain({.pool = {.counts = {1, 0, 0, 0}, .external = 0}, .interfaces_max = 1});
  host::sim::SimWires wires;
  host::SchemeTable schemes;
  require(
      schemes.add("sim", [&](const auto& inner, const auto& owner) { return wires.open(inner, owner); }).has_value());
  const std::string ifname = "virt0";
  const auto opened = host::open_impair_link(*linkstr, {ifname, {}, domain}, {schemes, host.clock});
  if (!opened) {
    require(opened.error().number() == EINVAL && !opened.error().text.empty());
    return 0;
  }
  const bool doubles = linkstr->find("dup") != nullptr;
  Traffic(*opened->port, host, domain, wires.wire("w"))
      .run(std::as_bytes(std::span(all.substr(std::min(options.size() + 1, size)))), doubles);
  return 0;
}
