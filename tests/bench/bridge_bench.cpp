// SPDX-License-Identifier: BSD-2-Clause
// What a frame costs on its way through a bridge between links that do nothing: received, learned, looked up, sent;
// beside the same frame handed from interface to interface by hand, and beside one that is received and dropped.
// bridge_bench [rounds]
#include <array>
#include <memory>

#include "hypercall/sim/sim_host.hpp"
#include "netstack/if_bridge.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/frames.hpp"
#include "virtif/virtif.hpp"

namespace {

using namespace vif;
using test::Frame;

constexpr std::size_t kBurst = 32;
constexpr std::size_t kFrames = 400'000;  // a round

net::MacAddress station(std::size_t i) { return net::MacAddress::from_key(0x0200'0000'1000 + i); }

// Takes everything; delivers its frames round and round.
class SpinPort final : public drv::LinkPort {
 public:
  explicit SpinPort(const std::vector<Frame>& frames) : frames_(frames) {}
  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    return {};
  }
  void stop() override {}
  drv::SendResult send(std::span<const drv::TxFrame> frames) override { return {frames.size()}; }
  bool drain(std::size_t) override {
    if (frames_.empty()) return false;
    for (drv::RxFrame& frame : burst_) {
      frame = {.bytes = frames_[next_]};
      next_ = next_ + 1 == frames_.size() ? 0 : next_ + 1;
    }
    sink_->deliver(burst_);
    return true;
  }
  void set_receive_filter(const drv::ReceiveFilter&) override {}

 private:
  const std::vector<Frame>& frames_;
  std::array<drv::RxFrame, kBurst> burst_;
  std::size_t next_ = 0;
  drv::LinkSink* sink_ = nullptr;
};

// `spin:` makes the frames it was given, `spin:quiet` none.
class SpinOpener final : public drv::LinkOpener {
 public:
  explicit SpinOpener(std::vector<Frame> frames) : frames_(std::move(frames)) {}
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner&) override {
    drv::LinkCaps caps{.frame_bytes_max = 2000, .slices_max = 32, .offload = net::OffloadSet::all()};
    return drv::OpenLink{std::make_unique<SpinPort>(linkstr.argument.empty() ? frames_ : none_), caps};
  }

 private:
  const std::vector<Frame> frames_, none_;
};

struct Discard final : net::IfInput {
  void input(net::Ifnet&, net::MbufPtr) override {}
};

struct Patch final : net::IfInput {
  explicit Patch(net::Ifnet& to_in) : to(to_in) {}
  void input(net::Ifnet&, net::MbufPtr packet) override { (void)to.transmit(std::move(packet)); }
  net::Ifnet& to;
};

// Interfaces in a domain, the first of which is fed.
class Ports {
 public:
  Ports(std::size_t count, std::vector<Frame> frames) : opener_(std::move(frames)) {
    for (std::size_t i = 0; i < count; ++i) {
      virts_.push_back(*drv::Virtif::create(domain, opener_, "virt", static_cast<std::uint32_t>(i)));
      net::Ifnet& ifp = port(i);
      const std::array<net::IfRequest, 3> requests = {net::SetLinkstr{i == 0 ? "spin:" : "spin:quiet"},
                                                      net::SetFlags{ifp.flags() | net::IFF_UP}, net::SetPromisc{true}};
      for (const net::IfRequest& request : requests) {
        if (Status done = ifp.ioctl(request); !done) bench::give_up(done.error().text);
      }
    }
  }
  net::Ifnet& port(std::size_t i) { return virts_[i]->ifnet(); }

  double run() {
    const std::uint64_t end = port(0).counters.ipackets.get() + kFrames;
    const double begun = bench::now_ns();
    while (port(0).counters.ipackets.get() < end) domain.poll(now_ += Time(1000), kBurst);
    return (bench::now_ns() - begun) / static_cast<double>(kFrames);
  }

 private:
  struct NoWake final : net::WakePort {
    void wake() override {}
  };
  host::sim::SimRandom random_{1};
  NoWake wake_;
  SpinOpener opener_;
  Time now_{};

 public:
  net::Domain domain{{}, random_, wake_};

 private:
  std::vector<std::unique_ptr<drv::Virtif>> virts_;
};

// A bridge over all of them, which knows the stations of `known`: all on the second port.
class Bridged {
 public:
  Bridged(std::size_t count, std::vector<Frame> frames, std::size_t known, const net::Bridge::Config& config = {},
          const net::BridgePortSettings& second = {.floods_per_second = 0})
      : ports_(count, std::move(frames)), bridge_(ports_.domain, config) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!bridge_.add(ports_.port(i), i == 1 ? second : net::BridgePortSettings{.floods_per_second = 0})) {
        bench::give_up("no port");
      }
    }
    const std::uint16_t vlan = config.filters_vlans ? net::kVlanDefault : std::uint16_t{0};
    for (std::size_t i = 0; i < known; ++i) {
      if (!bridge_.add_static(ports_.port(1), vlan, station(i))) bench::give_up("no room for a station");
    }
  }
  double run() { return ports_.run(); }

 private:
  Ports ports_;
  net::Bridge bridge_;
};

// Each to another of the known stations, from another of as many.
std::vector<Frame> frames_between(std::size_t stations, std::size_t bytes) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < stations; ++i) {
    const std::size_t mixed = i * 7919 % stations;  // neighbours in the table are none in time
    frames.push_back(test::ether(station(mixed), 0x88b5, test::counting(bytes - net::kEtherHeaderBytes),
                                 station(1'000'000 + mixed)));
  }
  return frames;
}

void compare_unicast(std::size_t bytes, int rounds) {
  Bridged bridged(2, frames_between(1, bytes), 1);
  Ports by_hand(2, frames_between(1, bytes)), received(1, frames_between(1, bytes));
  Patch patch(by_hand.port(1));
  by_hand.port(0).set_input(&patch);
  Discard discard;
  received.port(0).set_input(&discard);
  bench::Comparison("bridge, a known station, " + std::to_string(bytes) + " B",
                    {{"through the bridge", [&] { return bridged.run(); }},
                     {"handed on without one", [&] { return by_hand.run(); }},
                     {"received only", [&] { return received.run(); }}},
                    {{"handed on without one", 0}})
      .run(rounds);
}

void compare_flood(std::size_t bytes, int rounds) {
  Bridged flood(9, frames_between(1, bytes), 0), one(2, frames_between(1, bytes), 1);
  bench::Comparison("bridge, flooded to 8 ports, " + std::to_string(bytes) + " B",
                    {{"flooded to 8", [&] { return flood.run(); }}, {"a known station", [&] { return one.run(); }}},
                    {{"a known station", 0}})
      .run(rounds);
}

void compare_tables(int rounds) {
  constexpr net::Bridge::Config kLarge{.stations_max = 32'768};
  Bridged many(2, frames_between(10'000, 64), 10'000, kLarge), few(2, frames_between(10, 64), 10, kLarge);
  bench::Comparison("bridge, 64 B between 10000 and 10000 stations",
                    {{"10000 and 10000", [&] { return many.run(); }}, {"10 and 10", [&] { return few.run(); }}},
                    {{"10 and 10", 0}})
      .run(rounds);
}

void compare_vlans(int rounds) {
  constexpr net::Bridge::Config kFilters{.filters_vlans = true};
  net::BridgePortSettings trunk{.vlans = {}};
  trunk.vlans.add_tagged(net::kVlanDefault);
  Bridged tagged(2, frames_between(1, 64), 1, kFilters, trunk), plain(2, frames_between(1, 64), 1);
  bench::Comparison("bridge, 64 B from an access port to a trunk",
                    {{"a tag put in", [&] { return tagged.run(); }}, {"without VLANs", [&] { return plain.run(); }}},
                    {{"without VLANs", 0}})
      .run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 5);
  bench::begin();
  bench::print_calibration();
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{1514}}) {
    compare_unicast(bytes, rounds);
    compare_flood(bytes, rounds);
  }
  compare_tables(rounds);
  compare_vlans(rounds);
}
