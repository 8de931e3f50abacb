// SPDX-License-Identifier: BSD-2-Clause
// Filters from text, and the promise that numeric ones never reach the resolver or a host file: the look-ups libpcap
// knows are wrapped here by ones that count.
#include "hypercall/bpf_compile.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/mbuf_pool.hpp"

namespace {

int lookups = 0;  // of names: an address is only parsed, and so is all that is asked for as one (AI_NUMERICHOST)

bool is_address(const char* node) {
  unsigned char address[16];
  return node != nullptr && (inet_pton(AF_INET6, node, address) == 1 || inet_pton(AF_INET, node, address) == 1);
}

template <class Function>
Function* libc(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// libpcap binds to these before the C library's: all it uses (nm -D libpcap.so).
extern "C" {
VIF_API int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const bool numeric = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  lookups += !numeric && !is_address(node);
  return libc<decltype(getaddrinfo)>("getaddrinfo")(node, service, hints, result);
}
VIF_API hostent* gethostbyname(const char* name) {
  ++lookups;
  return libc<decltype(gethostbyname)>("gethostbyname")(name);
}
VIF_API int getnetbyname_r(const char* name, netent* net, char* buffer, size_t bytes, netent** result, int* error) {
  ++lookups;
  return libc<decltype(getnetbyname_r)>("getnetbyname_r")(name, net, buffer, bytes, result, error);
}
VIF_API int getprotobyname_r(const char* name, protoent* proto, char* buffer, size_t bytes, protoent** result) {
  ++lookups;
  return libc<decltype(getprotobyname_r)>("getprotobyname_r")(name, proto, buffer, bytes, result);
}
VIF_API int ether_hostton(const char*, struct ether_addr*) noexcept {
  ++lookups;
  return -1;
}
}

namespace {

using vif::host::compile_filter;
using vif::host::Names;

std::string refusal(std::string_view expression) {
  const auto compiled = compile_filter(expression);
  if (compiled) return "accepted";
  EXPECT_EQ(compiled.error().number(), EINVAL) << expression;
  return compiled.error().text;
}

TEST(CompileFilter, accepts_everything_when_empty) {
  for (const char* blank : {"", " ", "\t\r\n "}) {
    const auto compiled = compile_filter(blank);
    ASSERT_TRUE(compiled);
    EXPECT_TRUE(compiled->insns().empty());
  }
}

TEST(CompileFilter, makes_a_program_that_judges_frames) {
  vif::net::MbufPool pool({.counts = {1, 0, 0, 0}, .external = 0});
  const vif::net::MbufPtr arp = pool.copy_in(vif::as_bytes(std::string_view("\1\2\3\4\5\6\1\2\3\4\5\6\x08\x06", 14)));
  EXPECT_EQ(vif::net::bpf_filter(*compile_filter("arp"), *arp), 262144U);
  EXPECT_EQ(vif::net::bpf_filter(*compile_filter("ip"), *arp), 0U);
}

TEST(CompileFilter, knows_the_language_without_asking_anyone) {
  lookups = 0;
  for (const char* expression : {"host 192.0.2.1",
                                 "net 192.0.2.0/24",
                                 "net 10.1",
                                 "net 192.0.2.0 mask 255.255.255.0",
                                 "dst net 10.1.2",
                                 "host 2001:db8::1",
                                 "net 2001:db8::/32",
                                 "net ::/0",
                                 "ip6 host ::ffff:192.0.2.1",
                                 "not src host fe80::1",
                                 "ether host 02:00:00:00:00:01",
                                 "ether src 2:0:0:0:0:1",
                                 "ether dst 02-00-00-00-00-01",
                                 "ether host 0200.0000.0001",
                                 "ether host 020000000001",
                                 "ether host de.ad.be.ef.0.1",
                                 "port 80 or 443",
                                 "tcp src port 0x50",
                                 "portrange 6000-6007",
                                 "tcp portrange 1-1024",
                                 "ip proto 17",
                                 "ip6 proto 58",
                                 "ether proto 0x88cc",
                                 "ether proto \\arp",
                                 "link proto \\ip6",
                                 "ether proto loopback",
                                 "vlan",
                                 "vlan 100",
                                 "vlan 100 && tcp",
                                 "mpls 1024",
                                 "pppoed",
                                 "pppoes 17 and ip",
                                 "geneve 5 and ip",
                                 "llc",
                                 "llc rr",
                                 "llc rnr",
                                 "llc ua",
                                 "stp",
                                 "ipx",
                                 "netbeui",
                                 "iso",
                                 "clnp",
                                 "esis",
                                 "is-is",
                                 "l1",
                                 "iih",
                                 "atalk",
                                 "aarp",
                                 "lat",
                                 "sca",
                                 "moprc",
                                 "mopdl",
                                 "rarp",
                                 "igmp",
                                 "igrp",
                                 "pim",
                                 "vrrp",
                                 "carp",
                                 "sctp",
                                 "ah",
                                 "esp",
                                 "decnet host 1.2",
                                 "ether broadcast",
                                 "ip multicast",
                                 "ip6 multicast",
                                 "less 64",
                                 "greater 1000",
                                 "len - 14 > 100",
                                 "byte 3 = 4",
                                 "ip[8]<5",
                                 "ether[0:4]&0x1ff=1",
                                 "tcp[tcpflags]&(tcp-syn|tcp-ack)!=0",
                                 "icmp[icmptype]==icmp-echoreply",
                                 "icmp6[icmp6type]=icmp6-neighborsolicit",
                                 "ip[2:2]-((ip[0]&0xf)<<2)!=0",
                                 "!(tcp||udp)",
                                 "(host 192.0.2.1 or 192.0.2.2) and not port 22",
                                 "tcp[12]>>4*4 = 20"}) {
    EXPECT_EQ(refusal(expression), "accepted") << expression;
  }
  EXPECT_EQ(lookups, 0);
}

TEST(CompileFilter, names_the_word_that_would_need_a_lookup) {
  lookups = 0;
  const struct {
    const char *expression, *word, *example;
  } cases[] = {
      {"host example.org", "'example.org'", "'host 192.0.2.1'"},
      {"tcp port http", "'http'", "'port 80'"},
      {"port 80 or domain", "'domain'", ""},
      {"portrange ftp-http", "'ftp-http'", "'portrange 6000-6007'"},
      {"portrange 1-2-3", "'1-2-3'", ""},
      {"port 80-90", "'80-90'", "'port 80'"},
      {"net localnet", "'localnet'", "'net 192.0.2.0/24'"},
      {"ether host foo", "'foo'", "'ether host 02:00:00:00:00:01'"},
      {"ip proto \\tcp", "'\\tcp'", "'proto 6'"},
      {"ip proto ospf", "'ospf'", "'proto 6'"},
      {"ether proto \\ip or \\tcp", "'\\tcp'", ""},
      {"gateway snup", "'snup'", ""},
      {"host face", "'face'", ""},
      {"host 1.2.3.4.5", "'1.2.3.4.5'", ""},
      {"host 10-5", "'10-5'", ""},
      {"host 80.", "'80.'", ""},
      {"host foo_", "'foo'", ""},
      {"host 0x", "'0x'", ""},
      {"host a:b", "'a'", ""},
      {"host fe80::1%eth0", "'eth0'", ""},
      {"host (192.0.2.1 or http)", "'http'", ""},
      {"example", "'example'", ""},
      {"TCP", "'TCP'", ""},
  };
  for (const auto& one : cases) {
    const std::string text = refusal(one.expression);
    EXPECT_NE(text.find(std::string(one.word) + " would need a name lookup; write the number"), std::string::npos)
        << one.expression << ": " << text;
    EXPECT_NE(text.find(one.example), std::string::npos) << text;
  }
  EXPECT_EQ(lookups, 0);
}

TEST(CompileFilter, looks_names_up_when_asked_to) {
  for (const char* expression : {"port nosuchservice", "net nosuchnet"}) {
    lookups = 0;
    EXPECT_FALSE(compile_filter(expression, Names::resolved)) << expression;
    EXPECT_GT(lookups, 0) << expression;
  }
  // On a host without /etc/protocols libpcap takes the unknown name for protocol 0.
  lookups = 0;
  static_cast<void>(compile_filter("ip proto \\nosuchproto", Names::resolved));
  EXPECT_GT(lookups, 0);
}

TEST(CompileFilter, asks_nobody_whatever_the_expression) {
  const std::vector<std::string_view> pieces = {
      "host",   "net",       "port",      "portrange", "proto",  "protochain", "gateway",
      "ether",  "link",      "ip",        "ip6",       "tcp",    "src",        "dst",
      "and",    "or",        "not",       "(",         ")",      "!",          "llc",
      "vlan",   "mask",      "/",         "80",        "1-2",    "a-b",        "-",
      ".",      "_",         "\\",        "\\ip",      "\\foo",  "foo",        "http",
      "1.2",    "1.2.3.4",   "1.2.3.4.5", "::1",       "fe80::", "a:b",        "00:11:22:33:44:55",
      ":",      "::",        "ab",        "0x",        "0x1",    "80.",        "$",
      "$ab",    "tcp-syn",   "icmp-echo", "[",         "]",      "=",          "&",
      "type",   "on",        "dead.beef", "dir",       "reason", "iso",        "decnet",
      "1.2.3",  "255.0.0.0", "rnr",       "\xff",      "%",      "'",          "\"",
      "inbound"};
  std::mt19937 random(2026);
  lookups = 0;
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string expression;
    for (auto words = 1 + random() % 6; words > 0; --words) {
      expression += pieces[random() % pieces.size()];
      if (random() % 4 != 0) expression += ' ';
    }
    accepted += compile_filter(expression).has_value();
    ASSERT_EQ(lookups, 0) << expression;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(CompileFilter, passes_on_what_libpcap_says) {
  EXPECT_NE(refusal("tcp port").find("syntax error"), std::string::npos);
  EXPECT_NE(refusal("ip broadcast").find("netmask"), std::string::npos);
  EXPECT_NE(refusal("port 99999").find("illegal port number"), std::string::npos);
  EXPECT_NE(refusal("net 2001:db8::/200").find("mask length must be <= 128"), std::string::npos);
}

TEST(CompileFilter, refuses_what_is_not_in_the_frame) {
  for (const char* expression : {"inbound", "tcp and outbound", "not inbound", "ifindex 3"})
    EXPECT_NE(refusal(expression).find("choose interface and direction"), std::string::npos) << expression;
}

TEST(CompileFilter, refuses_loops) {
  EXPECT_NE(refusal("ip6 protochain 6").find("protochain needs a loop"), std::string::npos);
}

TEST(CompileFilter, bounds_the_expression) {
  std::string longest = "tcp";
  longest.resize(4096, ' ');
  EXPECT_EQ(refusal(longest), "accepted");
  EXPECT_NE(refusal(longest + " ").find("at most 4096"), std::string::npos);
  EXPECT_NE(refusal(std::string_view("tcp\0host x", 10)).find("NUL"), std::string::npos);
}

}  // namespace
