// SPDX-License-Identifier: BSD-2-Clause
// Cuts an expression where libpcap 1.10 does: the longest run of address or name characters is one word. Where the two
// might differ, a word here is longer or judged more strictly, so that nothing libpcap could take for a name passes.
#include "hypercall/bpf_words.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace vif::host {
namespace {

using std::string_view;

// The keywords of pcap-filter(7), libpcap 1.10, each between two blanks.
constexpr string_view kKeywords =
    " "
    "aarp action addr1 addr2 addr3 addr4 address1 address2 address3 address4 ah and arp atalk bcc broadcast byte "
    "carp clnp connectmsg csnp decnet dir direction dpc dst es-is esis esp ether fddi fisu gateway geneve greater "
    "hdpc hfisu hlssu hmsu hopc host hsio hsls icmp icmp-echo icmp-echoreply icmp-ireq icmp-ireqreply icmp-maskreply "
    "icmp-maskreq icmp-paramprob icmp-redirect icmp-routeradvert icmp-routersolicit icmp-sourcequench "
    "icmp-timxceed icmp-tstamp icmp-tstampreply icmp-unreach icmp6 icmp6-certpathadvert icmp6-certpathsolicit "
    "icmp6-destinationunreach icmp6-echo icmp6-echoreply icmp6-homeagentdiscoveryreply "
    "icmp6-homeagentdiscoveryrequest icmp6-ineighbordiscoveryadvert icmp6-ineighbordiscoverysolicit "
    "icmp6-mobileprefixadvert icmp6-mobileprefixsolicit icmp6-multicastlistenerdone icmp6-multicastlistenerquery "
    "icmp6-multicastlistenerreportv1 icmp6-multicastlistenerreportv2 icmp6-multicastrouteradvert "
    "icmp6-multicastroutersolicit icmp6-multicastrouterterm icmp6-neighboradvert icmp6-neighborsolicit "
    "icmp6-nodeinformationquery icmp6-nodeinformationresponse icmp6-packettoobig icmp6-parameterproblem "
    "icmp6-redirect icmp6-routeradvert icmp6-routerrenum icmp6-routersolicit icmp6-timeexceeded icmp6code icmp6type "
    "icmpcode icmptype ifindex ifname igmp igrp iih ilmic inbound ip ip6 ipx is-is isis iso l1 l2 lane lat len "
    "length less link llc lsp lssu lsu mask metac metaconnect mopdl moprc mpls msu multicast net netbeui not oam "
    "oamf4 oamf4ec oamf4sc on opc or outbound pim port portrange ppp pppoed pppoes proto protochain psnp ra radio "
    "rarp reason rnr rset rulenum ruleset sc sca sctp sio slip sls snp src srnr stp subrulenum subtype ta tcp tcp-ack "
    "tcp-cwr tcp-ece tcp-fin tcp-push tcp-rst tcp-syn tcp-urg tcpflags tr type udp vci vlan vpi vrrp wlan ";

constexpr string_view kDigits = "0123456789";
constexpr string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr string_view kAddressCharacters = ":0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
constexpr string_view kWordCharacters = kAddressCharacters.substr(1);

bool only(string_view word, string_view characters) {
  return !word.empty() && word.find_first_not_of(characters) == string_view::npos;
}

bool is_number(string_view word) {
  const bool hex = word.starts_with("0x") || word.starts_with("0X");
  return hex ? only(word.substr(2), kHexDigits) : only(word, kDigits);
}

// What stands between `separator`s, when there are at most six; else nothing.
struct Parts {
  std::array<string_view, 6> part;
  std::size_t count = 0;
  template <class Predicate>
  bool all(Predicate is) const {
    return count > 0 && std::all_of(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count), is);
  }
};
Parts split(string_view word, char separator) {
  Parts parts;
  for (std::size_t from = 0; from != string_view::npos;) {
    if (parts.count == parts.part.size()) return {};
    const std::size_t to = word.find(separator, from);
    parts.part[parts.count++] = word.substr(from, to == string_view::npos ? to : to - from);
    from = to == string_view::npos ? to : to + 1;
  }
  return parts;
}

// 1, 1.2, 1.2.3, 1.2.3.4; each also in hexadecimal.
bool is_dotted(string_view word) {
  const Parts parts = split(word, '.');
  return parts.count <= 4 && parts.all(is_number);
}

bool is_mac(string_view word) {
  const auto octet = [](string_view part) { return part.size() <= 2 && only(part, kHexDigits); };
  const auto pair = [](string_view part) { return part.size() == 4 && only(part, kHexDigits); };
  for (const char separator : {':', '-', '.'}) {
    const Parts parts = split(word, separator);
    if (parts.count == 6 && parts.all(octet)) return true;
  }
  const Parts quads = split(word, '.');
  return (quads.count == 3 && quads.all(pair)) || (word.size() == 12 && only(word, kHexDigits));
}

bool is_ip6(string_view word) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(word).c_str(), &address) == 1;
}

// The words before the one in question.
struct Before {
  string_view last, last_but_one;
  void push(string_view word) { last_but_one = last, last = word; }
};

// Where libpcap compares a word with a list of its own, or with nothing at all.
bool needs_no_host(string_view word, const Before& before) {
  if (before.last == "llc") return true;
  if (before.last == "proto") return before.last_but_one == "ether" || before.last_but_one == "link";
  if (before.last != "portrange") return false;
  const Parts ends = split(word, '-');
  return ends.count == 2 && ends.all([](string_view end) { return only(end, kDigits); });
}

string_view example(const Before& before) {
  if (before.last == "port") return "port 80";
  if (before.last == "portrange") return "portrange 6000-6007";
  if (before.last == "proto" || before.last == "protochain") return "proto 6";
  if (before.last == "net") return "net 192.0.2.0/24";
  if (before.last == "host" && before.last_but_one == "ether") return "ether host 02:00:00:00:00:01";
  return "host 192.0.2.1";
}

Status judge(string_view word, const Before& before) {
  const bool known = kKeywords.find(" " + std::string(word) + " ") != string_view::npos;
  if (known || is_dotted(word) || is_mac(word) || is_ip6(word) || needs_no_host(word, before)) return {};
  return fail(std::errc::invalid_argument, "'" + std::string(word) +
                                               "' would need a name lookup; write the number, as in '" +
                                               std::string(example(before)) + "'");
}

// The word that begins `rest`, of one character when that belongs to no word. A backslash makes a name of what follows
// up to a blank, bracket or '!'.
string_view first_word(string_view rest) {
  if (rest.front() == '\\') return rest.substr(0, rest.find_first_of(" !()\n\t"));
  const string_view address = rest.substr(0, rest.find_first_not_of(kAddressCharacters));
  if (is_mac(address) || is_ip6(address)) return address;
  const string_view word = rest.substr(0, rest.find_first_not_of(kWordCharacters));
  return word.empty() ? rest.substr(0, 1) : word;
}

// Signs that libpcap does not count to the name beside them.
string_view without_signs(string_view word) {
  const std::size_t from = word.find_first_not_of("-_.");
  if (from == string_view::npos) return {};
  return word.substr(from, word.find_last_not_of("-_") + 1 - from);
}

}  // namespace

Status check_numeric(string_view expression) {
  Before before;
  for (string_view rest = expression; !rest.empty();) {
    const string_view word = first_word(rest);
    rest.remove_prefix(word.size());
    if (string_view(" \r\n\t").find(word.front()) != string_view::npos) continue;
    const string_view name = without_signs(word);
    const bool is_name = word.front() == '\\' || only(name.substr(0, 1), kWordCharacters);
    if (is_name) {
      if (Status fine = judge(name, before); !fine) return fine;
    }
    before.push(word);
  }
  return {};
}

}  // namespace vif::host
