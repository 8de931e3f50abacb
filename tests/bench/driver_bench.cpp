// SPDX-License-Identifier: BSD-2-Clause
// What a frame costs in the driver itself: in through null:, from port to port over mem:, and all the way from
// interface to interface; beside a calibration loop of the same run (an mbuf taken, 64 bytes copied, the mbuf
// returned). Times are CPU time; the column "per frame" is what counts. Build with --buildtype=release.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;

constexpr std::size_t kBurst = 32;
constexpr std::size_t kRoundFrames = 1024;  // handled between two looks at the clock

// Ends the benchmark with the reason; everything here is expected to work.
[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "driver_bench: %s\n", why.c_str());
  std::exit(1);
}

void must(const Status& status) {
  if (!status) give_up(status.error().text);
}

void report(benchmark::State& state, std::size_t frames_per_iteration) {
  state.counters["per frame"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(frames_per_iteration),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// One domain on Linux with its interfaces.
struct Bench {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  std::unique_ptr<host::Loop> loop = std::move(host::Loop::create(clock, random, {})).value();
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(loop->domain());

  net::Ifnet& up(const std::string& linkstr) {
    const Result<net::Ifnet*> ifp = interfaces.create("virt");
    if (!ifp) give_up(ifp.error().text);
    must((*ifp)->ioctl(net::SetLinkstr{linkstr}));
    must((*ifp)->ioctl(net::SetFlags{(*ifp)->flags() | net::IFF_UP}));
    return **ifp;
  }
};

// The stack above: lets the frame go.
class FreeInput final : public net::IfInput {
 public:
  void input(net::Ifnet&, net::MbufPtr packet) override { benchmark::DoNotOptimize(packet->data()); }
};

// A capture that listens to everything and keeps nothing.
class EmptyTap final : public net::BpfSink {
 public:
  void tap(const net::Mbuf&, net::BpfDirection, std::uint32_t) noexcept override {}
};

void calibration(benchmark::State& state) {
  net::MbufPool pool({});
  const std::array<std::byte, 64> frame{};
  for (auto _ : state) {
    for (std::size_t i = 0; i < kRoundFrames; ++i) benchmark::DoNotOptimize(pool.copy_in(frame)->data());
  }
  report(state, kRoundFrames);
}

void receive_null(benchmark::State& state) {
  Bench bench;
  net::Ifnet& ifp = bench.up("null:,rx=18446744073709551615,bytes=" + std::to_string(state.range(0)));
  FreeInput input;
  EmptyTap tap;
  ifp.set_input(&input);
  const auto id = ifp.taps.attach(tap, {}, net::BpfDirections::both);
  net::Domain& domain = bench.loop->domain();
  for (auto _ : state) domain.poll({}, kRoundFrames);
  ifp.taps.detach(id);
  report(state, kRoundFrames);
}

class CountSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> frames) override { benchmark::DoNotOptimize(frames.back().bytes.data()); }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t frames) override {
    if (frames > 0) give_up("mem: lost frames");
  }
};

void mem_port_to_port(benchmark::State& state) {
  host::LinuxClock clock;
  host::MemSegments segments(clock);
  const drv::Linkstr linkstr = *drv::Linkstr::parse("mem:bench");
  const test::SomeOwner owner;
  Result<drv::OpenLink> a = segments.open(linkstr, owner);
  Result<drv::OpenLink> b = segments.open(linkstr, owner);
  CountSink sink;
  must(a->port->start(sink));
  must(b->port->start(sink));
  const std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
  const Bytes slice = bytes;
  std::array<drv::TxFrame, kBurst> burst;
  burst.fill({{&slice, 1}, static_cast<std::uint32_t>(bytes.size()), {}});
  for (auto _ : state) {
    for (std::size_t i = 0; i < kRoundFrames; i += kBurst) {
      a->port->send(burst);
      b->port->drain(kBurst);
    }
  }
  a->port->stop();
  b->port->stop();
  report(state, kRoundFrames);
}

void interface_to_interface(benchmark::State& state) {
  Bench bench;
  net::Ifnet& a = bench.up("mem:bench");
  net::Ifnet& b = bench.up("mem:bench");
  FreeInput input;
  b.set_input(&input);
  std::vector<std::byte> frame(static_cast<std::size_t>(state.range(0)));
  net::EtherHeader{b.lladdr(), a.lladdr(), 0x88b5}.store(frame.data());
  net::Domain& domain = bench.loop->domain();
  for (auto _ : state) {
    for (std::size_t i = 0; i < kRoundFrames; i += kBurst) {
      a.set_flag(net::IFF_OACTIVE, true);  // gathers a burst, as a busy stack does
      for (std::size_t n = 0; n < kBurst; ++n) must(a.transmit(domain.pool().copy_in(frame)));
      a.set_flag(net::IFF_OACTIVE, false);
      a.driver().if_start();
      domain.poll({}, kBurst);
    }
  }
  const net::IfData received = b.counters.read();
  if (received.ipackets == 0 || received.ipackets != received.received()) give_up("frames were dropped");
  report(state, kRoundFrames);
}

BENCHMARK(calibration)->Name("calibration: mbuf get, 64 B copy, put");
BENCHMARK(receive_null)->Name("receive, null: burst 32, filter, tap")->Arg(64)->Arg(1514);
BENCHMARK(mem_port_to_port)->Name("mem: port to port, burst 32")->Arg(64)->Arg(1514);
BENCHMARK(interface_to_interface)->Name("virt0 to virt1 over mem:, burst 32")->Arg(64)->Arg(1514);

}  // namespace

// Interleaved repetitions and their medians, unless the command line says otherwise.
int main(int argc, char** argv) {
  std::vector<std::string> words = {argv[0], "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=7",
                                    "--benchmark_report_aggregates_only=true", "--benchmark_min_time=0.1"};
  words.insert(words.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
