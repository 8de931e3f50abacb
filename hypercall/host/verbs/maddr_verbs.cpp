// SPDX-License-Identifier: BSD-2-Clause
// maddr.add, maddr.del, maddr.show: the Ethernet groups an interface is in.
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

template <class Request>
Result<Json> change(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const Result<net::MacRange> range = parse_range(params["address"].get<std::string>());
  if (!range) return range.error();
  if (Status done = (*ifp)->ioctl(Request{*range}); !done) return done.error();
  return Json::object();
}

Result<Json> show(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> chosen = chosen_interfaces(node, params);
  if (!chosen) return chosen.error();
  Json all = Json::array();
  for (const net::Ifnet* ifp : *chosen) {
    Json groups = Json::array();
    for (const net::MulticastList::Entry& entry : ifp->groups().entries()) {
      const std::string lo = entry.range.lo.to_string();
      groups.push_back({{"link", entry.range.is_single() ? lo : lo + '-' + entry.range.hi.to_string()},
                        {"users", entry.references}});
    }
    all.push_back({{"ifindex", ifp->index()}, {"ifname", ifp->name()}, {"maddr", std::move(groups)}});
  }
  return all;
}

constexpr std::array kVerbs = {
    Verb{"maddr.add", "Joins an Ethernet group; joins are counted.", kJoinParams, "{}", change<net::AddMulti>},
    Verb{"maddr.del", "Leaves an Ethernet group.", kJoinParams, "{}", change<net::DelMulti>},
    Verb{"maddr.show", "The groups, with the keys of `ip -j maddr`.", kShowParams,
         "an array of {ifindex, ifname, maddr: [{link, users}]}", show},
};

}  // namespace

std::span<const Verb> maddr_verbs() { return kVerbs; }

}  // namespace vif::host
