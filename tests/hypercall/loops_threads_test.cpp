// SPDX-License-Identifier: BSD-2-Clause
// Several domains, each on a thread of its own: a token goes round a ring of segments between them, and they sleep
// between its visits. A lost wake-up is a test that never ends.
#include <gtest/gtest.h>

#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

constexpr std::size_t kStations = 4;
constexpr std::uint32_t kHops = 4'000;

// One domain: what it receives from the segment behind it goes into the one before it, and a busy link has its own.
class Station final : public net::IfInput {
 public:
  Station(host::Instance& instance, host::Loop& loop, std::size_t number)
      : runner(loop), domain_(loop.domain()), interfaces_(instance.attach(loop)) {
    up("mem:ring" + std::to_string(number)).set_input(this);
    to_ = &up("mem:ring" + std::to_string((number + 1) % kStations));
    busy_ = &up("null:,rx=20000");
  }

  // The token says how often it was passed on.
  void pass_on(std::uint32_t hops) {
    Frame token = ether(net::kBroadcast, 0x88b5, Frame(46));
    store_be32(token.data() + net::kEtherHeaderBytes, hops);
    EXPECT_TRUE(to_->transmit(domain_.pool().copy_in(token)));
  }
  void input(net::Ifnet&, net::MbufPtr packet) override {
    const std::uint32_t hops = load_be32(packet->data() + net::kEtherHeaderBytes);
    ++visits;
    if (hops == kHops) finished();
    else pass_on(hops + 1);
  }
  std::uint64_t busy_frames() const { return busy_->counters.ipackets.get(); }

  host::Runner runner;
  std::function<void()> finished;
  std::uint32_t visits = 0;

 private:
  net::Ifnet& up(const std::string& linkstr) {
    net::Ifnet& ifp = **interfaces_.create("virt");
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{linkstr}));
    EXPECT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
    return ifp;
  }

  net::Domain& domain_;
  net::IfCloneTable& interfaces_;
  net::Ifnet *to_ = nullptr, *busy_ = nullptr;
};

TEST(Loops, run_on_several_threads_and_wake_each_other) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  std::vector<std::unique_ptr<host::Loop>> loops;
  for (std::size_t i = 0; i < kStations; ++i) loops.push_back(std::move(*host::Loop::create(clock, random, {})));
  host::Instance instance({clock, files});
  std::vector<std::unique_ptr<Station>> stations;
  for (std::size_t i = 0; i < kStations; ++i) {
    stations.push_back(std::make_unique<Station>(instance, *loops[i], i));
    stations[i]->finished = [&] {
      for (const auto& station : stations) station->runner.stop();
    };
  }
  loops[0]->domain().post([&] { stations[0]->pass_on(1); });
  std::vector<std::thread> threads;
  for (const auto& station : stations) threads.emplace_back([&station] { EXPECT_TRUE(station->runner.run()); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& station : stations) {
    EXPECT_EQ(station->visits, kHops / kStations);
    EXPECT_EQ(station->busy_frames(), 20'000U) << "and its own work was done";
  }
}

}  // namespace
