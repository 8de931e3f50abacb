// SPDX-License-Identifier: BSD-2-Clause
// The same again: under one seed the same frames at the same times come to the same, whatever else goes on.
#include <gtest/gtest.h>

#include "hypercall/sim/sim_link.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

// Two interfaces on one segment, each impaired, and seeded traffic between them on a host of their own. What was passed
// up, with when and by whom.
class Scenario final : public net::IfInput {
 public:
  struct Event {
    Time when;
    std::uint32_t ifindex;
    Frame bytes;
    friend bool operator==(const Event&, const Event&) = default;
  };

  explicit Scenario(const std::string& options, bool answers = true) : answers_(answers) {
    for (int i = 0; i < 2; ++i) {
      net::Ifnet& ifp = **interfaces_.create("virt");
      ifp.set_input(this);
      const Status linked = ifp.ioctl(net::SetLinkstr{"impair:[mem:lan]" + options});
      EXPECT_TRUE(linked) << linked.error().text;
      EXPECT_TRUE(ifp.ioctl(net::SetLladdr{i == 0 ? kOurMac : kPeerMac}));
      EXPECT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
      ifps_.push_back(&ifp);
    }
  }

  std::vector<Event> run() {
    host::sim::SimRandom traffic(99);  // the same in every scenario
    for (int step = 0; step < 500; ++step) {
      const std::size_t frames = traffic.next() % 8, bytes = 46 + traffic.next() % 1400;
      for (std::size_t i = 0; i < frames; ++i) {
        transmit(*ifps_[0], ether(kPeerMac, 0x88b5, counting(bytes), kOurMac));
        if (answers_) transmit(*ifps_[1], ether(kOurMac, 0x88b5, counting(60), kPeerMac));
      }
      host_.run_until(host_.clock.now() + Time(traffic.next() % 2'000'000));
    }
    host_.run_until(host_.clock.now() + 1s);
    for (const net::Ifnet* ifp : ifps_) expect_sums(*ifp);
    return std::move(events_);
  }

  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    events_.push_back({domain_.now(), ifp.index(), flat(*packet)});
  }

 private:
  // No two frames of an interface are alike.
  void transmit(net::Ifnet& ifp, Frame frame) {
    store_be32(frame.data() + net::kEtherHeaderBytes, static_cast<std::uint32_t>(offered_[ifp.index()]++));
    (void)ifp.transmit(domain_.pool().copy_in(frame));
  }
  void expect_sums(const net::Ifnet& ifp) const {
    std::size_t passed = 0;
    for (const Event& event : events_) passed += event.ifindex == ifp.index();
    const net::IfData data = ifp.counters.read();
    EXPECT_EQ(data.ipackets, passed);
    EXPECT_EQ(data.offered() + ifp.snd.size(), offered_.at(ifp.index()));
  }

  host::sim::SimHost host_{1};
  host::sim::SimFiles files_;
  net::Domain& domain_ = host_.add_domain();
  host::Instance instance_{{host_.clock, files_}};
  net::IfCloneTable& interfaces_ = instance_.attach(domain_);
  bool answers_;
  std::vector<net::Ifnet*> ifps_;
  std::map<std::uint32_t, std::uint64_t> offered_ = {{1, 0}, {2, 0}};  // by ifindex
  std::vector<Event> events_;
};

constexpr const char* kEverything =
    ",loss=2%,dup=2%,reorder=10%,corrupt=1%,delay=3ms,jitter=2ms,rate=20mbit,limit=40,seed=";

TEST(ImpairRepeat, is_the_same_to_the_byte_under_one_seed) {
  const auto once = Scenario(kEverything + std::string("7")).run();
  ASSERT_GT(once.size(), 1500U);
  EXPECT_TRUE(once == Scenario(kEverything + std::string("7")).run());
}

TEST(ImpairRepeat, differs_under_another_seed) {
  EXPECT_FALSE(Scenario(kEverything + std::string("7")).run() == Scenario(kEverything + std::string("8")).run());
}

// Without a seed the domain's chance gives one, which on the simulated host is seeded too.
TEST(ImpairRepeat, is_the_same_without_a_seed_on_a_host_that_is) {
  EXPECT_TRUE(Scenario(",loss=20%").run() == Scenario(",loss=20%").run());
}

// Only what virt1 receives is compared: that virt1 sends too changes none of it.
TEST(ImpairRepeat, has_directions_that_do_not_touch_each_other) {
  const auto to_peer = [](std::vector<Scenario::Event> events) {
    std::erase_if(events, [](const Scenario::Event& event) { return event.ifindex == 1; });
    return events;
  };
  const std::string options = kEverything + std::string("7");
  EXPECT_TRUE(to_peer(Scenario(options, true).run()) == to_peer(Scenario(options, false).run()));
}

// What one option does is the same whether others are there or not.
TEST(ImpairRepeat, loses_the_same_frames_whatever_else_it_does) {
  const auto without_doubles = [](const std::string& options) {
    std::vector<Frame> frames;
    for (auto& event : Scenario(",dir=in,loss=10%,seed=5" + options, false).run()) {
      if (frames.empty() || frames.back() != event.bytes) frames.push_back(std::move(event.bytes));
    }
    return frames;
  };
  const auto alone = without_doubles("");
  EXPECT_GT(alone.size(), 100U);
  EXPECT_TRUE(alone == without_doubles(",dup=30%"));
  EXPECT_TRUE(alone == without_doubles(",rate=1gbit"));
}

}  // namespace
