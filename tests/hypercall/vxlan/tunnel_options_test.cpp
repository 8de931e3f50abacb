// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tunnel_options.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using host::TunnelOptions;
using host::UdpAddress;

Result<TunnelOptions> read(const std::string& text) { return TunnelOptions::read(*drv::Linkstr::parse(text)); }

std::string remotes(const TunnelOptions& options) {
  std::string all;
  for (std::size_t i = 0; i < options.remotes.size(); ++i) all += options.remotes[i].to_string() + " ";
  return all;
}

TEST(TunnelOptions, reads_remotes_network_and_local_end) {
  const auto one = read("vxlan:10.0.0.2,vni=7");
  ASSERT_TRUE(one) << one.error().text;
  EXPECT_EQ(one->vni, 7U);
  EXPECT_EQ(remotes(*one), "10.0.0.2:4789 ");
  EXPECT_EQ(one->local.to_string(), "0.0.0.0:4789");

  const auto many = read("vxlan:10.0.0.2+10.0.0.3:5000,vni=16777215,local=10.0.0.1:6000,port=4790");
  ASSERT_TRUE(many) << many.error().text;
  EXPECT_EQ(many->vni, 16'777'215U);
  EXPECT_EQ(remotes(*many), "10.0.0.2:4790 10.0.0.3:5000 ");
  EXPECT_EQ(many->local.to_string(), "10.0.0.1:6000");

  const auto v6 = read("vxlan:fd00::2+%5Bfd00::3%5D:5000,vni=0,local=fd00::1");
  ASSERT_TRUE(v6) << v6.error().text;
  EXPECT_EQ(remotes(*v6), "[fd00::2]:4789 [fd00::3]:5000 ");
  EXPECT_EQ(v6->local.to_string(), "[fd00::1]:4789");

  const auto nearby = read("vxlan:fe80::2%lo,vni=1");
  ASSERT_TRUE(nearby) << nearby.error().text;
  EXPECT_EQ(remotes(*nearby), "[fe80::2%lo]:4789 ");
  EXPECT_EQ(nearby->local.to_string(), "[::]:4789");
}

TEST(TunnelOptions, says_what_is_wrong) {
  const struct {
    const char *linkstr, *names;
    int number = EINVAL;
  } kWrong[] = {
      {"vxlan:", "remote"},
      {"vxlan:[mem:x],vni=7", "remote"},
      {"vxlan:10.0.0.2", "vni="},
      {"vxlan:10.0.0.2,vni", "vni"},
      {"vxlan:10.0.0.2,vni=16777216", "16777215"},
      {"vxlan:10.0.0.2,vni=-1", "vni"},
      {"vxlan:10.0.0.2,vni=7,mtu=9", "mtu"},
      {"vxlan:example.org,vni=7", "example.org"},
      {"vxlan:10.0.0,vni=7", "10.0.0"},
      {"vxlan:10.0.0.2:0,vni=7", "10.0.0.2:0"},
      {"vxlan:10.0.0.2:65536,vni=7", "65536"},
      {"vxlan:10.0.0.2:,vni=7", "10.0.0.2:"},
      {"vxlan:%5Bfd00::2,vni=7", "[fd00::2"},
      {"vxlan:%5Bfd00::2%5D4789,vni=7", "]4789"},
      {"vxlan:10.0.0.2+,vni=7", "''"},
      {"vxlan:10.0.0.2+10.0.0.2,vni=7", "twice"},
      {"vxlan:10.0.0.2+fd00::2,vni=7", "families"},
      {"vxlan:10.0.0.2,vni=7,local=fd00::1", "families"},
      {"vxlan:10.0.0.2,vni=7,local=", "local"},
      {"vxlan:10.0.0.2,vni=7,local=239.0.0.1", "local"},
      {"vxlan:239.1.1.1,vni=7", "239.1.1.1"},
      {"vxlan:255.255.255.255,vni=7", "255.255.255.255"},
      {"vxlan:0.0.0.0,vni=7", "0.0.0.0"},
      {"vxlan:::,vni=7", "::"},
      {"vxlan:ff02::1%lo,vni=7", "ff02::1"},
      {"vxlan:10.0.0.2,vni=7,port=0", "port"},
      {"vxlan:10.0.0.2,vni=7,port=65536", "port"},
      {"vxlan:fe80::2%nowhere0,vni=7", "nowhere0", ENODEV},
  };
  for (const auto& wrong : kWrong) {
    const auto refused = read(wrong.linkstr);
    ASSERT_FALSE(refused) << wrong.linkstr;
    EXPECT_EQ(refused.error().number(), wrong.number) << wrong.linkstr;
    EXPECT_EQ(refused.error().text.find("vxlan: "), 0U) << refused.error().text;
    EXPECT_NE(refused.error().text.find(wrong.names), std::string::npos) << refused.error().text;
  }
}

TEST(UdpAddress, reads_back_what_it_prints) {
  for (const char* text : {"10.0.0.2:4789", "[fd00::2]:1", "[fe80::2%lo]:65535", "[::ffff:10.0.0.2]:9"}) {
    const auto parsed = UdpAddress::parse(text, 4);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->to_string(), text);
    EXPECT_EQ(*UdpAddress::parse(parsed->to_string(), 5), *parsed);
  }
}

TEST(UdpAddress, is_ordered_by_host_then_port) {
  const auto at = [](const char* text) { return *UdpAddress::parse(text, 1); };
  EXPECT_NE(at("10.0.0.2:1"), at("10.0.0.2:2"));
  EXPECT_EQ(at("10.0.0.2:1").compare_host(at("10.0.0.2:2")), std::strong_ordering::equal);
  EXPECT_NE(at("10.0.0.2").compare_host(at("::ffff:10.0.0.2")), std::strong_ordering::equal);
  EXPECT_NE(at("fe80::2%lo"), at("fe80::2"));
}

}  // namespace
