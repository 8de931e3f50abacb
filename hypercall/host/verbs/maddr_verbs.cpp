// SPDX-License-Identifier: BSD-2-Clause
// maddr.add, maddr.del, maddr.show: the Ethernet groups an interface is in.
#include <algorithm>
#include <array>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

constexpr VerbParam kIfname{"ifname", ParamType::text, true, "the interface"};
constexpr VerbParam kAddress{"address", ParamType::text, true, "the group, as in 01:00:5e:00:00:fb, or LOW-HIGH"};
constexpr std::array kJoinParams = {kIfname, kAddress};
constexpr std::array kShowParams = {
    VerbParam{"ifname", ParamType::text, false, "this one's; all, when it is not given"}};

// "LOW-HIGH" or one address. Octets are written with ':' here, as '-' stands between the two.
Result<net::MacRange> parse_range(const std::string& text) {
  const std::size_t dash = text.find('-');
  const Result<net::MacAddress> lo = net::MacAddress::parse(text.substr(0, dash));
  if (!lo) return lo.error();
  if (dash == std::string::npos) return net::MacRange::single(*lo);
  const Result<net::MacAddress> hi = net::MacAddress::parse(text.substr(dash + 1));
  if (!hi) return hi.error();
  return net::MacRange{*lo, *hi};
}

Result<Json> add(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const Result<net::MacRange> range = parse_range(params["address"].get<std::string>());
  if (!range) return range.error();
  if (Status done = (*ifp)->ioctl(net::AddMulti{*range}); !done) return done.error();
  node.asked(**ifp).groups.push_back(*range);
  node.tell("maddr.new", {{"ifname", (*ifp)->name()}, {"link", range_text(*range)}});
  return Json::object();
}

// Only what maddr.add joined: the stack keeps its own.
Result<Json> del(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const Result<net::MacRange> range = parse_range(params["address"].get<std::string>());
  if (!range) return range.error();
  std::vector<net::MacRange>& groups = node.asked(**ifp).groups;
  const auto joined = std::ranges::find(groups, *range);
  if (joined == groups.end()) return fail(ENXIO, range_text(*range) + " was not joined with `maddr add`");
  if (Status done = (*ifp)->ioctl(net::DelMulti{*range}); !done) return done.error();
  groups.erase(joined);
  node.tell("maddr.del", {{"ifname", (*ifp)->name()}, {"link", range_text(*range)}});
  return Json::object();
}

Result<Json> show(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> chosen = chosen_interfaces(node, params);
  if (!chosen) return chosen.error();
  Json all = Json::array();
  for (const net::Ifnet* ifp : *chosen) {
    Json groups = Json::array();
    for (const net::MulticastList::Entry& entry : ifp->groups().entries()) {
      groups.push_back({{"link", range_text(entry.range)}, {"users", entry.references}});
    }
    all.push_back({{"ifindex", ifp->index()}, {"ifname", ifp->name()}, {"maddr", std::move(groups)}});
  }
  return all;
}

constexpr std::array kVerbs = {
    Verb{"maddr.add", "Joins an Ethernet group; joins are counted.", kJoinParams, "{}", add},
    Verb{"maddr.del", "Leaves an Ethernet group that maddr.add joined.", kJoinParams, "{}", del},
    Verb{"maddr.show", "The groups, with keys of `ip -j maddr`.", kShowParams,
         "an array of {ifindex, ifname, maddr: [{link, users}]}", show},
};

}  // namespace

std::string range_text(const net::MacRange& range) {
  return range.lo.to_string() + (range.is_single() ? "" : "-" + range.hi.to_string());
}

std::span<const Verb> maddr_verbs() { return kVerbs; }

}  // namespace vif::host
