// SPDX-License-Identifier: BSD-2-Clause
// A day in the life of two nodes on the simulated host: traffic every second, somebody who changes something every
// minute, a bad wire, timers all the while. Nothing grows, nothing is lost untold, and the same day again is the same.
#include <random>

#include "hypercall/host/verbs/verb.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace std::chrono_literals;
using host::Json;

constexpr auto kDay = std::chrono::hours(24);

// Two domains, as two loops would have them, joined by a segment that loses, delays and reorders.
class Day final : net::inet::EchoListener {
 public:
  explicit Day(std::uint64_t seed) : host_(seed), script_(seed) {
    left_.inet().listen(*this);
    call(left_, "link.add", {{"ifname", "virt0"}, {"linkstr", kWire}, {"address", "02:00:00:00:00:01"}});
    call(right_, "link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"address", "02:00:00:00:00:02"}});
    call(left_, "addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}});
    call(right_, "addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.2/24"}, {"probe", true}});
  }
  ~Day() override { left_.inet().unlisten(*this); }

  void live() {
    for (auto now = Time(1s); now <= kDay; now += 1s) {
      host_.run_until(now);
      every_second();
      if (now % 1min == 0s) change_something();
      if (now % 1h == 0s) look();
    }
  }

  // All that can be seen of it.
  std::string ending() {
    Json all = {{"replies", replies_}, {"asked", asked_}};
    for (host::Node* node : {&left_, &right_}) {
      all["nodes"].push_back({call(*node, "link.show", {{"stats", true}}), call(*node, "addr.show"),
                              call(*node, "route.show"), call(*node, "neigh.show"), call(*node, "config.show")});
    }
    return all.dump();
  }

  std::uint64_t asked() const { return asked_; }
  std::uint64_t replies() const { return replies_; }
  std::uint64_t mbufs_in_use() { return left_domain_.pool().in_use() + right_domain_.pool().in_use(); }

 private:
  static constexpr const char* kWire = "impair:[mem:lan],loss=1%,delay=3ms,jitter=2ms,dup=1%,seed=5";

  void echo_replied(const net::inet::EchoReply&) override { ++replies_; }

  Json call(host::Node& node, std::string_view verb, const Json& params = Json::object()) {
    const Result<Json> done = host::call_verb(node, *host::find_verb(verb), params);
    EXPECT_TRUE(done) << verb << params << ": " << done.error().text;
    return done ? *done : Json();
  }

  void every_second() {
    const auto to = *net::inet::IpAddress::parse("192.0.2.2");
    if (left_.inet().ping({.to = to, .id = 1, .sequence = static_cast<std::uint16_t>(asked_)})) ++asked_;
  }

  void change_something() {
    host::Node& node = script_() % 2 == 0 ? left_ : right_;
    const std::string own = &node == &left_ ? "192.0.2.1/24" : "192.0.2.2/24";
    switch (script_() % 6) {
      case 0:
        call(node, "link.set", {{"ifname", "virt0"}, {"up", false}});
        return (void)call(node, "link.set", {{"ifname", "virt0"}, {"up", true}});
      case 1:
        return (void)call(node, "link.set", {{"ifname", "virt0"}, {"mtu", 1280 + script_() % 200}});
      case 2:
        call(node, "addr.del", {{"ifname", "virt0"}, {"local", own}});
        return (void)call(node, "addr.add", {{"ifname", "virt0"}, {"local", own}, {"probe", script_() % 2 == 0}});
      case 3:
        call(node, "route.add", {{"dst", "198.51.100.0/24"}, {"gateway", "192.0.2.254"}, {"dev", "virt0"}});
        return (void)call(node, "route.del",
                          {{"dst", "198.51.100.0/24"}, {"gateway", "192.0.2.254"}, {"dev", "virt0"}});
      case 4:
        return (void)node.inet().ping({.to = stranger(script_() % 200 + 3), .id = 2});
      default:
        call(node, "link.add", {{"ifname", "virt9"}, {"linkstr", "mem:lan"}, {"up", true}, {"promisc", true}});
        return (void)call(node, "link.del", {{"ifname", "virt9"}});
    }
  }

  static net::inet::IpAddress stranger(std::uint64_t number) {
    return *net::inet::IpAddress::parse("192.0.2." + std::to_string(number));
  }

  // What must not grow, in an hour or in a day.
  void look() {
    for (host::Node* node : {&left_, &right_}) {
      EXPECT_EQ(call(*node, "link.show").size(), 1U);
      EXPECT_LT(call(*node, "neigh.show").size(), 300U);
      EXPECT_LT(call(*node, "route.show").size(), 10U);
      EXPECT_TRUE(!node->domain().next_deadline() || *node->domain().next_deadline() > host_.clock.now());
    }
    EXPECT_LT(mbufs_in_use(), 20U) << "what waits for a neighbour, or on the wire";
  }

  host::sim::SimHost host_;
  host::sim::SimFiles files_;
  net::Domain& left_domain_ = host_.add_domain();
  net::Domain& right_domain_ = host_.add_domain();
  host::Instance instance_{{host_.clock, files_}};
  host::Node left_{instance_.attach(left_domain_), instance_.schemes(), {}};
  host::Node right_{instance_.attach(right_domain_), instance_.schemes(), {}};
  std::mt19937 script_;
  std::uint64_t asked_ = 0, replies_ = 0;
};

TEST(NodeDay, loses_nothing_grows_nothing_and_repeats) {
  Day day(1);
  day.live();
  EXPECT_GT(day.asked(), 86'000U);
  EXPECT_GT(day.replies(), day.asked() * 9 / 10) << "the wire loses 1 % each way, and somebody fiddles with it";
  EXPECT_LT(day.replies(), day.asked() * 11 / 10);
  Day again(1), other(2);
  again.live();
  EXPECT_EQ(day.ending(), again.ending());
  other.live();
  EXPECT_NE(day.ending(), other.ending());
}

}  // namespace
