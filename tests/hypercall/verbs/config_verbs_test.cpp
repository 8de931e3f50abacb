// SPDX-License-Identifier: BSD-2-Clause
// config.apply and config.show on the simulated host: a node as described, and described as it is.
#include "hypercall/sim/sim_link.hpp"
#include "tests/hypercall/verbs/verbs_case.hpp"

namespace vif::test {
namespace {

Json described() {
  return {{"interfaces",
           {{{"ifname", "virt0"},
             {"linkstr", "mem:lan"},
             {"master", nullptr},
             {"address", "02:00:00:00:00:01"},
             {"mtu", 1400},
             {"promisc", true},
             {"allmulti", false},
             {"up", true},
             {"maddr", {"01:00:5e:00:00:fb", "33:33:00:00:00:01-33:33:00:00:00:0f"}},
             {"addr", {"192.0.2.1/24", "2001:db8::1/64"}}},
            {{"ifname", "virt7"},
             {"linkstr", nullptr},
             {"master", nullptr},
             {"address", "02:00:00:00:00:07"},
             {"mtu", 1500},
             {"promisc", false},
             {"allmulti", false},
             {"up", false},
             {"maddr", Json::array()},
             {"addr", Json::array()}}}},
          {"routes", {{{"dst", "0.0.0.0/0"}, {"gateway", "192.0.2.254"}, {"dev", "virt0"}}}},
          {"neighbours", {{{"dst", "192.0.2.9"}, {"lladdr", "02:00:00:00:00:09"}, {"dev", "virt0"}}}}};
}

TEST_F(Verbs, make_a_node_as_described_and_describe_it_the_same) {
  done("link.add", {{"ifname", "virt3"}, {"linkstr", "mem:other"}, {"up", true}});
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:other"}, {"up", true}});
  done("addr.add", {{"ifname", "virt0"}, {"local", "203.0.113.1/24"}});
  done("config.apply", {{"config", described()}});
  EXPECT_EQ(done("config.show"), described());

  Told told;
  node.listen(&told);
  done("config.apply", {{"config", described()}});
  Json shorter = described();
  shorter["routes"] = Json::array({{{"dst", "default"}, {"gateway", "192.0.2.254"}}});
  shorter["interfaces"][0]["addr"][1] = "2001:DB8:0:0::1/64";
  done("config.apply", {{"config", shorter}});
  node.listen(nullptr);
  EXPECT_EQ(told.heard, std::vector<std::string>()) << "what is so already is left alone";

  done("config.apply", {{"config", Json::object()}});
  EXPECT_EQ(done("config.show")["interfaces"], Json::array());
}

TEST_F(Verbs, say_where_a_description_is_wrong) {
  const auto apply = [&](const Json& config, std::string_view saying) {
    return refused("config.apply", {{"config", config}}, saying);
  };
  EXPECT_EQ(apply({{"interface", Json::array()}}, "no 'interface'; it has interfaces"), EINVAL);
  EXPECT_EQ(apply({{"interfaces", Json::object()}}, "'interfaces' is an array of objects"), EINVAL);
  EXPECT_EQ(apply({{"interfaces", {{{"ifname", "virt0"}, {"addr", {1}}}}}}, "'addr' is an array of strings"), EINVAL);
  EXPECT_EQ(
      apply({{"interfaces", {{{"ifname", "virt0"}, {"mut", 1}}}}}, "interfaces[0]: link.set has no parameter 'mut'"),
      EINVAL);
  EXPECT_EQ(apply({{"interfaces", {{{"mtu", 1400}}}}}, "needs 'ifname'"), EINVAL);
  EXPECT_EQ(apply({{"interfaces", {{{"ifname", 7}}}}}, "'ifname' is a string"), EINVAL);
  EXPECT_EQ(apply({{"routes", {{{"gateway", "192.0.2.1"}}}}}, "needs 'dst'"), EINVAL);
  EXPECT_EQ(apply({{"routes", {{{"dst", 7}, {"gateway", 8}}}}}, "'dst' is a string"), EINVAL);
  EXPECT_EQ(apply({{"neighbours", {{{"dst", nullptr}}}}}, "'dst' is a string"), EINVAL);
  const Json route = {{"dst", "default"}, {"dev", "virt0"}};
  const Json neighbour = {{"dst", "192.0.2.9"}, {"lladdr", "02:00:00:00:00:09"}, {"dev", "virt0"}};
  const Json interface = {{"ifname", "virt0"}};
  EXPECT_EQ(apply({{"interfaces", {interface, interface}}}, "interfaces[1]: virt0 is there twice"), EEXIST);
  EXPECT_EQ(apply({{"interfaces", {interface}}, {"routes", {route, route}}}, "routes[1]: default is there"), EEXIST);
  EXPECT_EQ(apply({{"interfaces", {interface}}, {"neighbours", {neighbour, neighbour}}}, "neighbours[1]: 192.0.2.9"),
            EEXIST);
  const Json typo = {{"ifname", "virt0"}, {"linkstr", "tap:t0,offlaod=off"}};
  EXPECT_EQ(apply({{"interfaces", {{{"ifname", "virt1"}}, typo}}}, "interfaces[1]: tap: has no option"), EINVAL);
  EXPECT_EQ(done("link.show"), Json::array()) << "nothing of a wrong one is done";
}

// A TAP that somebody deleted is not as it is wanted, though its link string is; one that is down is.
TEST_F(Verbs, link_again_what_was_removed_under_a_link) {
  host::sim::SimWires wires;
  ASSERT_TRUE(instance.schemes().add(
      "sim", [&](const drv::Linkstr& linkstr, const drv::LinkOwner& owner) { return wires.open(linkstr, owner); }));
  host::sim::SimWire& wire = wires.wire("a");
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "sim:a"}, {"up", true}});
  const Json config = done("config.show");
  const auto opens_when = [&](int error) {
    wire.carrier(net::LinkState::down, fail(error, "a test says so"));
    host.settle();
    EXPECT_TRUE(link("virt0")["virtif"].contains("link_error"));
    wire.calls.clear();
    done("config.apply", {{"config", config}});
    return std::count(wire.calls.begin(), wire.calls.end(), "open");
  };
  EXPECT_EQ(opens_when(ENETDOWN), 0);
  EXPECT_EQ(opens_when(ENODEV), 1);
  EXPECT_FALSE(link("virt0")["virtif"].contains("link_error"));
  EXPECT_EQ(done("config.show"), config);
  done("link.del", {{"ifname", "virt0"}});
}

TEST_F(Verbs, describe_what_was_set_and_not_what_followed_the_wire) {
  host::sim::SimWires wires;
  ASSERT_TRUE(instance.schemes().add(
      "sim", [&](const drv::Linkstr& linkstr, const drv::LinkOwner& owner) { return wires.open(linkstr, owner); }));
  host::sim::SimWire& wire = wires.wire("a");
  wire.caps.mtu_bytes = 9000;
  wire.caps.lladdr = net::MacAddress{{0x02, 0, 0, 0, 0, 0x77}};
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "sim:a"}, {"up", true}});
  const Json followed = done("config.show");
  EXPECT_EQ(followed["interfaces"][0]["mtu"], nullptr);
  EXPECT_EQ(followed["interfaces"][0]["address"], nullptr);

  done("link.set", {{"ifname", "virt0"}, {"mtu", 1300}, {"address", "02:00:00:00:00:01"}});
  const Json set = done("config.show");
  EXPECT_EQ(set["interfaces"][0]["mtu"], 1300);
  EXPECT_EQ(set["interfaces"][0]["address"], "02:00:00:00:00:01");

  done("config.apply", {{"config", followed}});
  EXPECT_EQ(done("config.show"), followed);
  wire.caps.mtu_bytes = 4000;
  wire.recapped();
  host.settle();
  EXPECT_EQ(link("virt0")["mtu"], 4000) << "it follows again";
  EXPECT_EQ(link("virt0")["address"], "02:00:00:00:00:77");
  done("config.apply", {{"config", set}});
  EXPECT_EQ(done("config.show"), set);
  done("link.del", {{"ifname", "virt0"}});
}

}  // namespace
}  // namespace vif::test
