// SPDX-License-Identifier: BSD-2-Clause
#include "tests/interop/inet_state.hpp"

namespace vif::test {
namespace {

using nlohmann::json;
using namespace net::inet;

constexpr std::array kAddressStates = {"tentative", "preferred", "deprecated", "duplicate"};
constexpr std::array kAddressOrigins = {"manual", "link_local", "autoconfigured", "dhcp"};
constexpr std::array kNeighbourStates = {"incomplete", "reachable", "stale", "delay", "probe", "permanent"};

constexpr std::array kDhcpStates = {"stopped", "init",  "selecting", "requesting", "rebooting",
                                    "probing", "bound", "renewing",  "rebinding"};

template <class Name, class Counts>
json without_zeros(const Name& names, const Counts& counts) {
  json all = json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) all[std::string(names[i])] = counts[i];
  }
  return all;
}

// Seconds from now; null: for ever.
json seconds_left(Time until, Time now) {
  if (until == Time::max()) return nullptr;
  return std::chrono::duration<double>(until - now).count();
}

json address(const InterfaceAddress& entry, Time now) {
  return {{"prefix", entry.prefix.to_string()},
          {"state", kAddressStates[static_cast<std::size_t>(entry.state)]},
          {"origin", kAddressOrigins[static_cast<std::size_t>(entry.origin)]},
          {"preferred_s", seconds_left(entry.preferred_until, now)},
          {"valid_s", seconds_left(entry.valid_until, now)}};
}

json interface(const Inet& inet, const net::Ifnet& ifp) {
  const net::IfData data = ifp.counters.read();
  json row = {{"name", ifp.name()},
              {"lladdr", ifp.lladdr().to_string()},
              {"mtu", ifp.mtu_bytes()},
              {"received", data.received()},  // by the backend
              {"offered", data.offered()},    // to it
              {"ipackets", data.ipackets},
              {"opackets", data.opackets},
              {"dropped", without_zeros(kDropReasonNames, data.drops)},
              {"addresses", json::array()},
              {"neighbours", json::array()}};
  for (const InterfaceAddress& entry : inet.addresses(ifp)) {
    row["addresses"].push_back(address(entry, ifp.domain().now()));
  }
  for (const Neighbour& entry : inet.neighbours(ifp)) {
    row["neighbours"].push_back({{"address", entry.address.to_string()},
                                 {"mac", entry.mac.to_string()},
                                 {"state", kNeighbourStates[static_cast<std::size_t>(entry.state)]},
                                 {"router", entry.router}});
  }
  return row;
}

}  // namespace

json state_of(const Inet& inet, std::span<net::Ifnet* const> interfaces) {
  const InetData data = inet.read();
  json all = {{"interfaces", json::array()},
              {"inet",
               {{"received", data.received},
                {"cut", data.cut},
                {"delivered", data.delivered},
                {"merged", data.merged},
                {"forwarded", data.forwarded},
                {"originated", data.originated},
                {"fragmented", data.fragmented},
                {"sent", data.sent},
                {"looped", data.looped},
                {"fragments_waiting", data.fragments_waiting},
                {"packets_held", data.packets_held},
                {"drops", without_zeros(kInetDropNames, data.drops)},
                {"errors_sent", data.errors_sent},
                {"errors_suppressed", data.errors_suppressed},
                {"conflicts", data.conflicts},
                {"in_adds_up", data.received + data.cut == data.ended_in()},
                {"out_adds_up", data.originated + data.forwarded + data.fragmented == data.ended_out()}}}};
  for (const net::Ifnet* ifp : interfaces) all["interfaces"].push_back(interface(inet, *ifp));
  return all;
}

json state_of(const DhcpClient& client) {
  const DhcpData& data = client.read();
  json all = {{"state", kDhcpStates[static_cast<std::size_t>(client.state())]},
              {"discovers", data.discovers},
              {"requests", data.requests},
              {"declines", data.declines},
              {"releases", data.releases},
              {"offers", data.offers},
              {"acks", data.acks},
              {"naks", data.naks},
              {"ignored", data.ignored}};
  if (const std::optional<DhcpLease>& lease = client.lease()) {
    all["lease"] = {{"address", lease->address.to_string()},
                    {"server", lease->server.to_string()},
                    {"mtu", lease->mtu_bytes},
                    {"dns", json::array()},
                    {"routes", json::array()}};
    for (const IpAddress& server : lease->dns) all["lease"]["dns"].push_back(server.to_string());
    for (const DhcpRoute& route : lease->routes) {
      all["lease"]["routes"].push_back({route.to.to_string(), route.gateway.to_string()});
    }
  }
  return all;
}

}  // namespace vif::test
