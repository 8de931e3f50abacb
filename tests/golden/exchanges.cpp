// SPDX-License-Identifier: BSD-2-Clause
// The masks below are all that may differ in every exchange of a kind; differences.cpp lists the exchanges that differ
// beyond that, and why.
#include "tests/golden/exchanges.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "hypercall/linux_ports.hpp"
#include "tests/golden/differences.hpp"

namespace vif::test {
namespace {

using namespace host;

// What stacks send for a while after they began: reports about groups (IGMP, MLD), and questions for routers.
constexpr char kButBeginnings[] = " and not (igmp or (ip6[6] = 0 and ip6[40] = 58) or (icmp6 and ip6[40] = 133))";
constexpr char kFromPeer[] = "not ether src 02:76:69:66:00:0a";

std::string path_of(const std::string& name) { return std::string(VIF_GOLDEN "/") + name + ".pcapng"; }

// What Linux's stack and another one may choose as they like.
std::string mask_of(const std::string& name) {
  // RFC 6864: any, where nothing is in fragments; and whether paths are explored.
  std::string mask = "ip.id,ip.flags,ip.ttl,ip.dsfield,ipv6.flow,ipv6.tclass,ipv6.hlim";
  if (name.starts_with("tcp")) mask += ",tcp.window_size_value";
  // The identification of a fragment (RFC 7739), behind Ethernet and IPv6.
  if (name == "frag6-of-an-echo" || name == "icmp6-packet-too-big") mask += ",@58..62";
  return mask;
}

// What of the exchange is compared: what it is about. Neighbours are asked for when a stack likes.
std::string subject_of(const std::string& name) {
  const std::string ours = "ether src 02:76:69:66:00:0a";
  if (name.starts_with("arp") || name.starts_with("nd")) return ours;
  return ours + " and not arp and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 136)";
}

}  // namespace

std::vector<Exchange> golden_exchanges() {
  std::vector<Exchange> all;
  for (const auto& entry : std::filesystem::directory_iterator(VIF_GOLDEN)) {
    if (entry.path().extension() != ".pcapng") continue;
    const std::string name = entry.path().stem().string();
    all.push_back({"lwip", name});
    if (!name.starts_with("tcp")) all.push_back({"inet", name});  // which has no TCP
  }
  std::sort(all.begin(), all.end(),
            [](const Exchange& a, const Exchange& b) { return std::tie(a.name, a.stack) < std::tie(b.name, b.stack); });
  return all;
}

ReplayRun peer_of(const Exchange& exchange) {
  // A stack makes sure of its neighbours after 5 s (RFC 4861, 10).
  const bool is_late = exchange.name.find("never") != std::string::npos;
  return replay(path_of(exchange.name))
      .sending(kFromPeer)
      .learning("tcp.seq,tcp.srcport")
      .listening(std::chrono::seconds(is_late ? 10 : 4));
}

Time span_of(const Exchange& exchange) {
  LinuxFiles files;
  const auto frames = net::Expectation::load(files, path_of(exchange.name));
  if (!frames || frames->empty()) return Time(0);
  return Time(frames->back().time_ns.value_or(0) - frames->front().time_ns.value_or(0));
}

std::string complaint(const Exchange& exchange, const ReplayOutcome& outcome, World world) {
  std::string subject = subject_of(exchange.name);
  if (world == World::host) subject += kButBeginnings;
  const SendsMatcher sends = Sends(path_of(exchange.name), only(subject), ignoring(mask_of(exchange.name)));
  const Difference* const difference = known_difference(exchange.stack, exchange.name);
  std::ostringstream text;
  if (difference == nullptr) {
    if (!sends.MatchAndExplain(outcome, &text)) text << "\n(expected: as Linux)";
    else text.str("");
    return text.str();
  }
  const Result<net::ExpectVerdict> verdict = sends.judge(outcome);
  if (!verdict) return verdict.error().text;
  if (verdict->pass())
    return world == World::host ? "" : "is as Linux has it now: strike it off the list in differences.cpp";
  const std::string& first = verdict->failures.front().text;
  if (first.find(difference->what) != std::string::npos) return {};
  text << "differs otherwise than differences.cpp says: " << first << "\n(expected: " << difference->what << ", as "
       << difference->why << ")";
  return text.str();
}

}  // namespace vif::test
