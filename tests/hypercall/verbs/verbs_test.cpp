// SPDX-License-Identifier: BSD-2-Clause
// The verbs in-process, on the simulated host: what they do, what they say, and that a refusal changes nothing.
#include "tests/hypercall/verbs/verbs_case.hpp"

#include <set>

namespace vif::test {
namespace {

std::set<std::string> keys(const Json& object) {
  std::set<std::string> names;
  for (const auto& [key, value] : object.items()) names.insert(key);
  return names;
}

TEST_F(Verbs, are_each_there_once_and_say_what_they_are_for) {
  std::set<std::string_view> names;
  for (const host::Verb& verb : host::verbs()) {
    EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    EXPECT_TRUE(verb.says.ends_with(".")) << verb.name;
    EXPECT_FALSE(verb.returns.empty()) << verb.name;
  }
  EXPECT_EQ(host::verbs_json().size(), names.size());
  EXPECT_EQ(host::find_verb("link.frob"), nullptr);
}

TEST_F(Verbs, make_an_interface_with_all_that_is_asked) {
  const Json made = done("link.add", {{"ifname", "virt0"},
                                      {"linkstr", "mem:lan"},
                                      {"mtu", 1400},
                                      {"address", "02:00:00:00:00:07"},
                                      {"promisc", true},
                                      {"up", true}});
  EXPECT_EQ(made["flags"], Json({"BROADCAST", "MULTICAST", "PROMISC", "UP", "LOWER_UP"}));
  EXPECT_EQ(made["mtu"], 1400);
  EXPECT_EQ(made["address"], "02:00:00:00:00:07");
  EXPECT_EQ(made["operstate"], "UP");
  EXPECT_EQ(made["promiscuity"], 1);
  EXPECT_EQ(made["virtif"]["linkstr"], "mem:lan");
  EXPECT_EQ(done("link.add", {{"ifname", "virt"}})["ifname"], "virt1") << "the lowest free number";
  EXPECT_EQ(done("link.show").size(), 2U);
}

// What `ip -j -d -s link` has and a script may read.
TEST_F(Verbs, show_an_interface_with_the_keys_of_iproute2) {
  done("link.add", {{"ifname", "virt0"}});
  const std::set<std::string> shown = keys(link("virt0"));
  for (const char* key :
       {"ifindex", "ifname", "flags", "mtu", "qdisc", "operstate", "linkmode", "group", "txqlen", "link_type",
        "address", "broadcast", "promiscuity", "allmulti", "min_mtu", "max_mtu", "stats64"}) {
    EXPECT_TRUE(shown.contains(key)) << key;
  }
  EXPECT_EQ(keys(link("virt0")["stats64"]["rx"]),
            (std::set<std::string>{"bytes", "packets", "errors", "dropped", "over_errors", "multicast"}));
  EXPECT_EQ(keys(link("virt0")["stats64"]["tx"]),
            (std::set<std::string>{"bytes", "packets", "errors", "dropped", "carrier_errors", "collisions"}));
  EXPECT_EQ(link("virt0")["virtif"]["drops"].size(), kDropReasons);
  EXPECT_FALSE(done("link.show")[0].contains("stats64")) << "only where asked";
}

TEST_F(Verbs, make_no_interface_when_one_of_its_settings_is_refused) {
  EXPECT_EQ(refused("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"mtu", 12}}, "MTU 12"), EINVAL);
  EXPECT_EQ(refused("link.add", {{"ifname", "virt0"}, {"up", true}}, "no link"), ENXIO);
  EXPECT_EQ(refused("link.add", {{"ifname", "eth0"}}, "virt"), EINVAL);
  EXPECT_EQ(done("link.show"), Json::array());
  done("link.add", {{"ifname", "virt0"}});
  EXPECT_EQ(refused("link.add", {{"ifname", "virt0"}}, "virt0"), EEXIST);
  EXPECT_EQ(done("link.show").size(), 1U);
}

TEST_F(Verbs, relink_an_interface_that_is_up_in_one_call) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"up", true}});
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"linkstr", nullptr}}, "bring it down"), EBUSY);
  done("link.set", {{"ifname", "virt0"}, {"linkstr", nullptr}, {"up", false}});
  EXPECT_EQ(link("virt0")["virtif"]["linkstr"], nullptr);
  EXPECT_EQ(done("link.set", {{"ifname", "virt0"}, {"up", true}, {"linkstr", "null:"}})["operstate"], "UP");
}

TEST_F(Verbs, give_a_bridge_the_smallest_mtu_of_its_ports) {
  const auto mtu = [&] { return link("bridge0")["mtu"].get<int>(); };
  done("link.add", {{"ifname", "bridge0"}});
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"mtu", 1450}, {"master", "bridge0"}});
  EXPECT_EQ(mtu(), 1450);
  done("link.add", {{"ifname", "virt1"}, {"linkstr", "mem:lan"}, {"master", "bridge0"}});
  EXPECT_EQ(mtu(), 1450);
  done("link.set", {{"ifname", "virt1"}, {"mtu", 1300}});
  EXPECT_EQ(mtu(), 1300);
  done("link.del", {{"ifname", "virt1"}});
  EXPECT_EQ(mtu(), 1450);
  done("link.set", {{"ifname", "virt0"}, {"mtu", 9000}});
  EXPECT_EQ(mtu(), 9000);
  EXPECT_EQ(done("config.show")["interfaces"][0]["mtu"], nullptr);

  done("link.set", {{"ifname", "bridge0"}, {"mtu", 1200}});
  done("link.set", {{"ifname", "virt0"}, {"mtu", 1400}});
  EXPECT_EQ(mtu(), 1200) << "unless one was set";
  done("link.set", {{"ifname", "bridge0"}, {"mtu", nullptr}});
  EXPECT_EQ(mtu(), 1400);
  done("link.set", {{"ifname", "virt0"}, {"master", nullptr}});
  EXPECT_EQ(mtu(), 1500);
}

TEST_F(Verbs, keep_the_link_when_the_new_link_string_is_wrong) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"up", true}});
  const Json before = link("virt0");
  for (const auto& [wrong, words] : std::map<std::string, std::string>{
           {"mem:lan,mode=1", "no option 'mode'"},
           {"null:x", "takes no argument"},
           {"tap:t0,offlaod=off", "no option 'offlaod'"},
           {"impair:[tap:t0,offlaod=off],loss=1%", "no option 'offlaod'"},
           {"impair:[mem:lan],los=1%", "los"},
           {"uring:va,ring=0", "ring"},
           {"stream:/s,listen,reconnect", "leave out reconnect"},
           {"shm:lan", "slash"},
           {"vxlan:192.0.2.1", "vni"},
           {"pcap:a.pcap,write=b.pcpa", "b.pcpa"},
       }) {
    EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"linkstr", wrong}}, words), EINVAL) << wrong;
  }
  EXPECT_EQ(link("virt0"), before);
}

TEST_F(Verbs, hold_a_mode_once_however_often_it_is_asked_for) {
  done("link.add", {{"ifname", "virt0"}});
  for (int i = 0; i < 3; ++i) done("link.set", {{"ifname", "virt0"}, {"promisc", true}, {"allmulti", true}});
  EXPECT_EQ(link("virt0")["promiscuity"], 1);
  EXPECT_EQ(link("virt0")["allmulti"], 1);
  for (int i = 0; i < 2; ++i) done("link.set", {{"ifname", "virt0"}, {"promisc", false}, {"allmulti", false}});
  EXPECT_EQ(link("virt0")["promiscuity"], 0);
  EXPECT_EQ(link("virt0")["flags"], Json({"BROADCAST", "MULTICAST"}));
  done("link.set", {{"ifname", "virt0"}, {"promisc", true}});
  done("link.del", {{"ifname", "virt0"}});
  done("link.add", {{"ifname", "virt0"}});
  EXPECT_EQ(link("virt0")["promiscuity"], 0) << "a new interface begins anew";
}

TEST_F(Verbs, say_which_parameter_is_wrong_and_what_it_takes) {
  EXPECT_EQ(refused("link.set", {{"mtu", 1400}}, "needs 'ifname'"), EINVAL);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"mut", 1400}}, "no parameter 'mut'; it takes ifname"), EINVAL);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"mtu", "1400"}}, "'mtu' is a number"), EINVAL);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"mtu", -1}}, "'mtu' is a number"), EINVAL);
  EXPECT_EQ(refused("link.set", {{"ifname", 7}}, "'ifname' is a string"), EINVAL);
  EXPECT_EQ(refused("link.show", Json::array(), "takes an object"), EINVAL);
  EXPECT_EQ(refused("link.del", {{"ifname", "virt0"}}, "make one with `link add`"), ENODEV);
  done("link.add", {{"ifname", "virt3"}});
  EXPECT_EQ(refused("link.del", {{"ifname", "virt0"}}, "there are virt3"), ENODEV);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt3"}, {"mtu", UINT64_MAX}}, "MTU"), EINVAL);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt3"}, {"address", "01:00:00:00:00:00"}}, "unicast"), EINVAL);
}

TEST_F(Verbs, join_and_leave_groups_by_count) {
  done("link.add", {{"ifname", "virt0"}});
  const Json group = {{"ifname", "virt0"}, {"address", "01:00:5e:00:00:fb"}};
  done("maddr.add", group);
  done("maddr.add", group);
  done("maddr.add", {{"ifname", "virt0"}, {"address", "33:33:00:00:00:01-33:33:00:00:00:ff"}});
  const Json shown = done("maddr.show")[0]["maddr"];
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0], (Json{{"link", "01:00:5e:00:00:fb"}, {"users", 2}}));
  EXPECT_EQ(shown[1]["link"], "33:33:00:00:00:01-33:33:00:00:00:ff");
  done("maddr.del", group);
  done("maddr.del", group);
  EXPECT_EQ(refused("maddr.del", group, "joined"), ENXIO);
  EXPECT_EQ(refused("maddr.add", {{"ifname", "virt0"}, {"address", "02:00:00:00:00:01"}}, ""), EINVAL);
}

TEST_F(Verbs, give_an_interface_addresses_and_routes) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}});
  done("addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}});
  const Json shown = done("addr.show", {{"ifname", "virt0"}})[0];
  EXPECT_EQ(shown["operstate"], "UP") << "an address brings it up";
  const auto found = std::find_if(shown["addr_info"].begin(), shown["addr_info"].end(),
                                  [](const Json& address) { return address["family"] == "inet"; });
  ASSERT_NE(found, shown["addr_info"].end());
  EXPECT_EQ(*found, (Json{{"family", "inet"},
                          {"local", "192.0.2.1"},
                          {"prefixlen", 24},
                          {"broadcast", "192.0.2.255"},
                          {"scope", "global"},
                          {"label", "virt0"},
                          {"protocol", "static"},
                          {"valid_life_time", UINT32_MAX},
                          {"preferred_life_time", UINT32_MAX}}));
  done("route.add", {{"dst", "default"}, {"gateway", "192.0.2.254"}});
  const Json routes = done("route.show");
  const auto connected =
      std::find_if(routes.begin(), routes.end(), [](const Json& r) { return r["dst"] == "192.0.2.0/24"; });
  ASSERT_NE(connected, routes.end());
  EXPECT_EQ(*connected, (Json{{"dst", "192.0.2.0/24"},
                              {"family", "inet"},
                              {"dev", "virt0"},
                              {"protocol", "kernel"},
                              {"scope", "link"},
                              {"prefsrc", "192.0.2.1"},
                              {"flags", Json::array()}}));
  EXPECT_EQ(routes.back(), (Json{{"dst", "default"},
                                 {"family", "inet"},
                                 {"gateway", "192.0.2.254"},
                                 {"dev", "virt0"},
                                 {"protocol", "static"},
                                 {"flags", Json::array()}}));
  EXPECT_EQ(refused("route.add", {{"dst", "198.51.100.0/24"}, {"gateway", "203.0.113.1"}}, "name the interface"),
            ENETUNREACH);
  EXPECT_EQ(refused("addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.1/33"}}, "192.0.2.1/33"), EINVAL);
  done("route.del", {{"dst", "default"}, {"gateway", "192.0.2.254"}});
  EXPECT_EQ(done("route.show").size(), routes.size() - 1);
  done("addr.del", {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}});
  EXPECT_EQ(refused("addr.del", {{"ifname", "virt0"}, {"local", "192.0.2.1"}}, ""), EADDRNOTAVAIL);
}

TEST_F(Verbs, fix_neighbours) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}});
  done("neigh.add", {{"dst", "192.0.2.9"}, {"lladdr", "02:00:00:00:00:09"}, {"dev", "virt0"}});
  EXPECT_EQ(done("neigh.show"), Json::array({{{"dst", "192.0.2.9"},
                                              {"dev", "virt0"},
                                              {"lladdr", "02:00:00:00:00:09"},
                                              {"state", Json::array({"PERMANENT"})}}}));
  const auto add = [&](const char* mac, std::string_view saying) {
    return refused("neigh.add", {{"dst", "192.0.2.9"}, {"lladdr", mac}, {"dev", "virt0"}}, saying);
  };
  EXPECT_EQ(add("02:00:00:00:00:0a", "`neigh del` takes that away first"), EEXIST);
  EXPECT_EQ(add("ff:ff:ff:ff:ff:ff", "a group's address"), EINVAL);
  done("neigh.del", {{"dst", "192.0.2.9"}, {"dev", "virt0"}});
  EXPECT_EQ(refused("neigh.del", {{"dst", "192.0.2.9"}, {"dev", "virt0"}}, "not known"), ESRCH);
}

TEST_F(Verbs, tell_a_listener_what_they_changed) {
  Told told;
  node.listen(&told);
  EXPECT_EQ(refused("link.add", {{"ifname", "virt0"}, {"linkstr", "null:"}, {"mtu", 1}}, "MTU"), EINVAL);
  EXPECT_TRUE(told.heard.empty()) << "of what could not be made";
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "null:"}, {"mtu", 1400}});
  EXPECT_EQ(told.heard.size(), 1U);
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"mtu", 0}}, "MTU"), EINVAL);
  EXPECT_EQ(told.heard.size(), 1U) << "a refusal changes nothing";
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"promisc", true}, {"address", "x"}}, "x"), EINVAL);
  EXPECT_EQ(told.heard.size(), 1U);
  done("link.set", {{"ifname", "virt0"}, {"up", true}});
  done("addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}});
  done("link.del", {{"ifname", "virt0"}});
  node.listen(nullptr);
  EXPECT_EQ(told.heard.front(), "new virt0");
  EXPECT_EQ(told.heard.back(), "del virt0");
  EXPECT_EQ(std::count(told.heard.begin(), told.heard.end(), "change virt0 up"), 1);
  EXPECT_EQ(std::count(told.heard.begin(), told.heard.end(), "address virt0 192.0.2.1/24"), 2) << "ready, and gone";
}

// It loses its master, and is no more promiscuous.
TEST_F(Verbs, tell_of_the_ports_of_a_bridge_that_goes) {
  done("link.add", {{"ifname", "bridge0"}});
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}, {"master", "bridge0"}, {"up", true}});
  Told told;
  node.listen(&told);
  done("link.del", {{"ifname", "bridge0"}});
  node.listen(nullptr);
  EXPECT_EQ(told.heard, (std::vector<std::string>{"del bridge0", "change virt0 up"}));
  EXPECT_FALSE(link("virt0").contains("master"));
}

TEST_F(Verbs, look_at_the_bridge_before_the_port) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}});
  done("link.add", {{"ifname", "virt1"}});
  done("addr.add", {{"ifname", "virt0"}, {"local", "192.0.2.1/24"}});
  EXPECT_EQ(refused("link.set", {{"ifname", "virt0"}, {"master", "virt1"}}, "virt1 is no bridge"), EINVAL);
}

TEST_F(Verbs, take_no_address_for_a_network) {
  done("link.add", {{"ifname", "virt0"}, {"linkstr", "mem:lan"}});
  EXPECT_EQ(refused("route.add", {{"dst", "198.51.100.7/24"}, {"dev", "virt0"}}, "198.51.100.0/24 is"), EINVAL);
  done("route.add", {{"dst", "198.51.100.7/32"}, {"dev", "virt0"}});
  const Json routes = done("route.show");
  const auto is_host = [](const Json& route) { return route["dst"] == "198.51.100.7"; };
  EXPECT_EQ(std::count_if(routes.begin(), routes.end(), is_host), 1) << "without a length, as ip(8) writes it";
}

}  // namespace
}  // namespace vif::test
