// SPDX-License-Identifier: BSD-2-Clause
// The verb ping on the simulated host: answered when the answer comes, in virtual time.
#include "hypercall/host/verbs/verb.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::Json;
using namespace std::chrono_literals;

// virt0 is the node's, virt1 that of another stack on the same segment.
class PingVerb : public SimInstance {
 protected:
  PingVerb() {
    for (const char* name : {"virt0", "virt1"}) {
      const Result<Json> made =
          host::call_verb(node, *host::find_verb("link.add"), {{"ifname", name}, {"linkstr", "mem:lan"}, {"up", true}});
      EXPECT_TRUE(made);
    }
    EXPECT_TRUE(host::call_verb(node, *host::find_verb("addr.add"), {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}}));
    net::Ifnet& ifp = *interfaces.find("virt1");
    EXPECT_TRUE(other.attach(ifp));
    EXPECT_TRUE(other.add_address(ifp, *net::inet::IpPrefix::parse("192.0.2.2/24"), net::inet::Claim::at_once));
    host.run_until(3s);  // link-local addresses are claimed
  }

  // What it is answered: the result, or {"errno"}; null as long as it is not.
  std::shared_ptr<Json> ping(const Json& params) {
    auto answer = std::make_shared<Json>();
    host::begin_verb(node, *host::find_verb("ping"), params, [answer](const Result<Json>& came) {
      EXPECT_TRUE(answer->is_null()) << "answered twice";
      *answer = came ? *came : Json{{"errno", came.error().number()}, {"text", came.error().text}};
    });
    return answer;
  }

  host::Node node{interfaces, instance.schemes(), {}};
  net::inet::Inet other{domain, {}};
};

TEST_F(PingVerb, is_answered_when_the_reply_comes) {
  const auto answer = ping({{"to", "192.0.2.2"}, {"id", 7}, {"sequence", 1}, {"bytes", 1000}});
  host.settle();
  EXPECT_EQ((*answer)["from"], "192.0.2.2");
  EXPECT_EQ((*answer)["bytes"], 1000);
  EXPECT_EQ((*answer)["ttl"], 255);
  EXPECT_EQ(*ping({{"to", "192.0.2.1"}}), Json()) << "its own address answers, too, in its own time";
  host.run_until(10s);
}

TEST_F(PingVerb, reaches_link_local_addresses_through_the_interface_that_is_said) {
  const std::string neighbour = other.addresses(*interfaces.find("virt1"))[0].address().to_string();
  ASSERT_TRUE(neighbour.starts_with("fe80::")) << neighbour;
  const auto answer = ping({{"to", neighbour}, {"dev", "virt0"}});
  host.settle();
  EXPECT_EQ((*answer)["from"], neighbour);
}

TEST_F(PingVerb, waits_as_long_as_it_is_told_and_no_longer) {
  const auto answer = ping({{"to", "192.0.2.99"}, {"timeout_ms", 5000}});
  host.run_until(7s);
  EXPECT_TRUE(answer->is_null());
  host.run_until(9s);
  EXPECT_EQ((*answer)["errno"], ETIMEDOUT);
}

TEST_F(PingVerb, says_why_it_was_not_sent) {
  EXPECT_EQ((*ping({{"to", "198.51.100.1"}}))["errno"], ENETUNREACH);
  EXPECT_EQ((*ping({{"to", "nobody"}}))["errno"], EINVAL);
  EXPECT_EQ((*ping({{"to", "192.0.2.2"}, {"dev", "virt7"}}))["errno"], ENODEV);
  EXPECT_EQ((*ping({{"to", "192.0.2.2"}, {"sequence", 65'536}}))["errno"], EINVAL);
  EXPECT_EQ((*ping({{"to", "192.0.2.2"}, {"bytes", 65'508}}))["errno"], EINVAL);
  EXPECT_EQ((*ping({{"too", "192.0.2.2"}}))["errno"], EINVAL);
  const auto first = ping({{"to", "192.0.2.99"}, {"sequence", 3}});
  EXPECT_EQ((*ping({{"to", "192.0.2.98"}, {"sequence", 3}}))["errno"], EBUSY);
  host.run_until(10s);
  EXPECT_EQ((*first)["errno"], ETIMEDOUT);
  EXPECT_EQ(host::call_verb(node, *host::find_verb("ping"), {{"to", "192.0.2.2"}}).error().number(), ENOTSUP);
}

TEST_F(PingVerb, keeps_no_more_than_so_many_waiting) {
  std::vector<std::shared_ptr<Json>> answers;
  for (std::size_t n = 0; n <= host::Pings::kWaitingMax; ++n) {
    answers.push_back(ping({{"to", "192.0.2.99"}, {"sequence", n}, {"timeout_ms", 60'000}}));
  }
  EXPECT_TRUE(answers[0]->is_null());
  EXPECT_EQ((*answers.back())["errno"], ENOBUFS);
}

}  // namespace
