// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ifconfig_words.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::tools;

// The calls as "verb params", or the error.
std::vector<std::string> calls(const std::vector<std::string>& words) {
  const Result<std::vector<IfconfigCall>> parsed = parse_ifconfig_words(words);
  if (!parsed) return {parsed.error().text};
  std::vector<std::string> calls;
  for (const IfconfigCall& call : *parsed) {
    calls.push_back((call.replaces ? "replace: " : "") + call.verb + " " + call.params.dump());
  }
  return calls;
}
using Calls = std::vector<std::string>;

TEST(IfconfigWords, are_calls_of_verbs) {
  EXPECT_EQ(calls({"virt0", "create"}), Calls{R"(link.add {"ifname":"virt0"})"});
  EXPECT_EQ(calls({"virt0", "destroy"}), Calls{R"(link.del {"ifname":"virt0"})"});
  EXPECT_EQ(calls({"virt0", "linkstr", "tap:tap0", "mtu", "1400", "up"}),
            Calls{R"(link.set {"ifname":"virt0","linkstr":"tap:tap0","mtu":1400,"up":true})"});
  EXPECT_EQ(calls({"virt0", "-linkstr", "-promisc", "allmulti", "down"}),
            Calls{R"(link.set {"ifname":"virt0","linkstr":null,"promisc":false,"allmulti":true,"up":false})"});
  EXPECT_EQ(calls({"virt0", "link", "02:00:00:00:00:01"}),
            Calls{R"(link.set {"ifname":"virt0","address":"02:00:00:00:00:01"})"});
  EXPECT_EQ(calls({"virt0", "create", "linkstr", "mem:a", "inet", "192.0.2.1/24", "inet6", "2001:db8::1/64"}),
            (Calls{R"(link.add {"ifname":"virt0","linkstr":"mem:a"})",
                   R"(replace: addr.add {"ifname":"virt0","local":"192.0.2.1/24"})",
                   R"(addr.add {"ifname":"virt0","local":"2001:db8::1/64"})"}));
  EXPECT_EQ(calls({}), Calls());
  EXPECT_EQ(calls({"virt0"}), Calls());
}

TEST(IfconfigWords, know_every_way_to_say_an_address) {
  const Calls added = {R"(replace: addr.add {"ifname":"virt0","local":"192.0.2.1/24"})"};
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1/24", "alias"}),
            Calls{R"(addr.add {"ifname":"virt0","local":"192.0.2.1/24"})"});
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1", "netmask", "255.255.255.0"}), added);
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1", "netmask", "0xffffff00"}), added);
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1", "prefixlen", "24"}), added);
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1", "delete"}),
            Calls{R"(addr.del {"ifname":"virt0","local":"192.0.2.1"})"});
  EXPECT_EQ(calls({"virt0", "inet", "192.0.2.1", "netmask", "0.0.0.0"}),
            Calls{R"(replace: addr.add {"ifname":"virt0","local":"192.0.2.1/0"})"});
  for (const char* mask : {"255.0.255.0", "0xff00ff00", "0xfg", "24", "::"}) {
    EXPECT_NE(calls({"virt0", "inet", "192.0.2.1", "netmask", mask})[0].find("'netmask' wants one"), std::string::npos);
  }
}

TEST(IfconfigWords, say_what_is_missing_or_wrong) {
  const auto says = [](const std::vector<std::string>& words, std::string_view text) {
    return calls(words)[0].find(text) != std::string::npos;
  };
  EXPECT_TRUE(says({"virt0", "frob"}, "'frob' means nothing here"));
  EXPECT_TRUE(says({"virt0", "mtu"}, "wants a value"));
  EXPECT_TRUE(says({"virt0", "mtu", "big"}, "wants a number"));
  EXPECT_TRUE(says({"virt0", "up", "down"}, "said twice"));
  EXPECT_TRUE(says({"virt0", "inet", "192.0.2.1"}, "how long is the network"));
  EXPECT_TRUE(says({"virt0", "inet"}, "wants a value"));
  EXPECT_TRUE(says({"virt0", "inet6", "::1", "prefixlen", "129"}, "up to 128"));
  EXPECT_TRUE(says({"virt0", "destroy", "up"}, "nothing may stand behind"));
  EXPECT_TRUE(says({"virt0", "create", "destroy"}, "means nothing here"));
}

TEST(IfconfigText, reads_as_that_of_a_bsd) {
  const Json links = Json::parse(R"([{"ifindex": 2, "ifname": "virt0", "mtu": 1500, "operstate": "UP",
      "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "address": "02:00:00:00:00:01",
      "virtif": {"linkstr": "tap:tap0"}, "addr_info": [
      {"family": "inet", "local": "192.0.2.1", "prefixlen": 24, "broadcast": "192.0.2.255", "scope": "global"},
      {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link", "tentative": true}]}])");
  EXPECT_EQ(ifconfig_text(links),
            "virt0: flags=0x8043<UP,BROADCAST,RUNNING,MULTICAST> mtu 1500\n"
            "\tlinkstr: tap:tap0\n"
            "\taddress: 02:00:00:00:00:01\n"
            "\tstatus: active\n"
            "\tinet 192.0.2.1/24 broadcast 192.0.2.255 flags 0\n"
            "\tinet6 fe80::1/64 flags <TENTATIVE> scopeid 0x2\n");
}

}  // namespace
