// SPDX-License-Identifier: BSD-2-Clause
// Two domains on two threads, on shared segments, while a third thread has interfaces made, linked, filled, brought
// down and destroyed at random. Afterwards every frame is accounted for and every mbuf is back. Seeded; a failure names
// the seed, which --gtest_random_seed chooses.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// One domain, its thread, and what happened in it. Everything but post() and the runner is for that thread.
class Side final : public net::IfInput {
 public:
  Side(host::Instance& instance, ClockPort& clock, RandomPort& random)
      : loop(
            std::move(*host::Loop::create(clock, random, {.inbox_commands = 8}))),  // so that it polls between commands
        interfaces(instance.attach(loop->domain())),
        runner(*loop),
        thread([this] { EXPECT_TRUE(runner.run()); }) {}

  void post(net::Command command) {
    while (!loop->domain().post(command)) std::this_thread::yield();
  }
  void finish() {
    post([this] {
      while (!counts_.empty()) destroy(counts_.begin()->first);
      runner.stop();
    });
    thread.join();
  }

  // A frame is filled with its first byte: one that is torn or mixed is seen.
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    const Frame frame = flat(*packet);
    for (std::size_t i = net::kEtherHeaderBytes; i < frame.size(); ++i) {
      ASSERT_EQ(frame[i], frame[net::kEtherHeaderBytes]) << "torn at " << i;
    }
    ++counts_[ifp.name()].passed;
    ++passed;
    if (frame[net::kEtherHeaderBytes] == std::byte{1} && frame.size() < 200) answer(ifp, frame);
  }

  void create(const std::string& name) {
    if (const auto made = interfaces.create(name)) {
      (*made)->set_input(this);
      counts_[name] = {};
    }
  }
  void destroy(const std::string& name) {
    if (const net::Ifnet* ifp = interfaces.find(name)) {
      expect_sums(*ifp);
      EXPECT_TRUE(interfaces.destroy(name));
      counts_.erase(name);
    }
  }
  void request(const std::string& name, const net::IfRequest& what) {
    if (net::Ifnet* ifp = interfaces.find(name)) (void)ifp->ioctl(what);
  }
  void toggle(const std::string& name) {
    if (net::Ifnet* ifp = interfaces.find(name)) {
      (void)ifp->ioctl(net::SetFlags{ifp->flags() ^ net::IFF_UP});
      expect_sums(*ifp);
    }
  }
  void transmit(const std::string& name, std::size_t frames, std::size_t bytes) {
    net::Ifnet* const ifp = interfaces.find(name);
    for (; ifp != nullptr && frames > 0; --frames) {
      offer(*ifp, ether(net::kBroadcast, 0x88b5, Frame(bytes, static_cast<std::byte>(frames)), ifp->lladdr()));
    }
  }

  std::unique_ptr<host::Loop> loop;
  net::IfCloneTable& interfaces;
  host::Runner runner;
  std::uint64_t passed = 0;

 private:
  struct Count {
    std::uint64_t offered = 0, passed = 0;
  };

  void answer(net::Ifnet& ifp, Frame frame) {
    std::fill(frame.begin() + net::kEtherHeaderBytes, frame.end(), std::byte{2});
    offer(ifp, frame);
  }
  void offer(net::Ifnet& ifp, const Frame& frame) {
    net::MbufPtr packet = loop->domain().pool().copy_in(frame);
    if (!packet) return;
    ++counts_[ifp.name()].offered;
    (void)ifp.transmit(std::move(packet));
  }
  void expect_sums(const net::Ifnet& ifp) {
    const net::IfData data = ifp.counters.read();
    const Count& count = counts_[ifp.name()];
    EXPECT_EQ(data.offered() + ifp.snd.size(), count.offered) << ifp.name();
    EXPECT_EQ(data.ipackets, count.passed) << ifp.name();
  }

  std::map<std::string, Count> counts_;
  std::thread thread;
};

TEST(DomainsStress, accounts_for_every_frame_whatever_happens) {
  const int asked = GTEST_FLAG_GET(random_seed);
  const auto seed = static_cast<std::uint64_t>(asked != 0 ? asked : 1);
  SCOPED_TRACE("seed " + std::to_string(seed));
  host::LinuxClock clock;
  host::LinuxRandom host_random;
  host::LinuxFiles files;
  host::Instance instance({clock, files});
  Side left(instance, clock, host_random), right(instance, clock, host_random);
  host::sim::SimRandom random(seed);
  for (int step = 0; step < 20'000; ++step) {
    Side& side = random.next() % 2 == 0 ? left : right;
    const std::string name = "virt" + std::to_string(random.next() % 4);
    const std::string segment = "mem:lan" + std::to_string(random.next() % 2);
    const std::size_t frames = random.next() % 100, bytes = 46 + random.next() % 1400;
    switch (random.next() % 12) {
      case 0:
        side.post([=, &side] { side.create(name); });
        break;
      case 1:
        side.post([=, &side] { side.request(name, net::SetLinkstr{segment}); });
        break;
      case 2:
        side.post([=, &side] { side.request(name, net::UnsetLinkstr{}); });
        break;
      case 3:
        side.post([=, &side] { side.destroy(name); });
        break;
      case 4:
      case 5:
        side.post([=, &side] { side.toggle(name); });
        break;
      case 6:  // the whole way at once
        side.post([=, &side] {
          side.create(name);
          side.request(name, net::SetLinkstr{segment});
          side.toggle(name);
        });
        break;
      default:
        side.post([=, &side] { side.transmit(name, frames, bytes); });
    }
  }
  left.finish();
  right.finish();
  EXPECT_GT(left.passed + right.passed, 1000U);
  for (Side* side : {&left, &right}) {
    EXPECT_EQ(side->loop->domain().pool().in_use(), 0U);
    EXPECT_TRUE(side->loop->domain().interfaces().empty());
  }
}

// Two interfaces up all the time: what one sent, the other received or counted.
TEST(DomainsStress, receives_or_counts_exactly_what_was_sent) {
  host::LinuxClock clock;
  host::LinuxRandom host_random;
  host::LinuxFiles files;
  host::Instance instance({clock, files});
  Side left(instance, clock, host_random), right(instance, clock, host_random);
  std::array<std::atomic<const net::Ifnet*>, 2> ifps{};
  for (std::size_t i = 0; i < 2; ++i) {
    Side& side = i == 0 ? left : right;
    side.post([&, i] {
      side.create("virt0");
      side.request("virt0", net::SetLinkstr{"mem:lan"});
      side.toggle("virt0");
      ifps[i] = side.interfaces.find("virt0");
    });
  }
  while (ifps[0] == nullptr || ifps[1] == nullptr) std::this_thread::yield();
  for (int round = 0; round < 1'000; ++round) {
    left.post([&] { left.transmit("virt0", 200, 60); });
    right.post([&] { right.transmit("virt0", 50, 1400); });
  }
  // Counters may be read here while both work; in the end they agree.
  const auto agree = [&](const net::Ifnet& from, const net::Ifnet& to) {
    return from.counters.read().opackets == to.counters.read().received();
  };
  std::array<std::atomic<bool>, 2> idle{};
  left.post([&] { idle[0] = true; });
  right.post([&] { idle[1] = true; });
  while (!idle[0] || !idle[1] || !agree(*ifps[0], *ifps[1]) || !agree(*ifps[1], *ifps[0])) std::this_thread::yield();
  EXPECT_GE(ifps[0].load()->counters.read().opackets, 1000U);
  left.finish();
  right.finish();
}

}  // namespace
