// SPDX-License-Identifier: BSD-2-Clause
// An interface as iproute2 prints it.
#include <array>

#include "hypercall/host/verbs/families.hpp"
#include "virtif/virtif.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kLinkKeysMax = 24;

// The words of ip(8), in its order.
Json flag_names(const net::Ifnet& ifp) {
  struct Named {
    net::IfFlag flag;
    const char* name;
  };
  static constexpr std::array<Named, 9> kNamed = {{{net::IFF_LOOPBACK, "LOOPBACK"},
                                                   {net::IFF_BROADCAST, "BROADCAST"},
                                                   {net::IFF_POINTOPOINT, "POINTOPOINT"},
                                                   {net::IFF_MULTICAST, "MULTICAST"},
                                                   {net::IFF_NOARP, "NOARP"},
                                                   {net::IFF_ALLMULTI, "ALLMULTI"},
                                                   {net::IFF_PROMISC, "PROMISC"},
                                                   {net::IFF_DEBUG, "DEBUG"},
                                                   {net::IFF_UP, "UP"}}};
  Json names = Json::array();
  const bool carries = ifp.link_state() != net::LinkState::down;
  if (ifp.is(net::IFF_UP) && !carries) names.push_back("NO-CARRIER");
  for (const Named& named : kNamed) {
    if (ifp.is(named.flag)) names.push_back(named.name);
  }
  if (ifp.is(net::IFF_RUNNING) && carries) names.push_back("LOWER_UP");
  return names;
}

// RFC 2863, ifOperStatus, as the kernel writes it.
const char* operstate(const net::Ifnet& ifp) {
  if (!ifp.is(net::IFF_UP) || ifp.link_state() == net::LinkState::down) return "DOWN";
  return ifp.link_state() == net::LinkState::up ? "UP" : "UNKNOWN";
}

Json stats_json(const net::IfData& data) {
  return {{"rx",
           {{"bytes", data.ibytes},
            {"packets", data.ipackets},
            {"errors", data.ierrors},
            {"dropped", data.iqdrops + data.noproto},
            {"over_errors", data.dropped(DropReason::rx_overrun)},
            {"multicast", data.imcasts}}},
          {"tx",
           {{"bytes", data.obytes},
            {"packets", data.opackets},
            {"errors", data.oerrors},
            {"dropped", data.oqdrops},
            {"carrier_errors", data.dropped(DropReason::tx_down)},
            {"collisions", data.collisions}}}};
}

// Each reason, also those that never happened: a script need not ask whether the key is there.
Json drops_json(const net::IfData& data) {
  Json::object_t drops;
  drops.reserve(kDropReasons);
  for (std::size_t i = 0; i < kDropReasons; ++i) drops.emplace_back(kDropReasonNames[i], data.drops[i]);
  return Json(std::move(drops));
}

Json own_json(Node& node, const net::Ifnet& ifp) {
  Json own = {{"linkstr", nullptr}};
  const auto* driver = dynamic_cast<const drv::Virtif*>(node.interfaces().find_clone(ifp.name()));
  if (driver == nullptr) return own;
  if (const auto linkstr = driver->linkstr()) own["linkstr"] = *linkstr;
  if (!driver->link_chosen().empty()) own["chosen"] = driver->link_chosen();
  if (!driver->link_error().empty()) own["link_error"] = driver->link_error();
  return own;
}

}  // namespace

Json link_json(Node& node, const net::Ifnet& ifp, bool with_stats) {
  Json::object_t link;  // entry by entry: a thousand interfaces are shown at a time, and braces copy what is in them
  link.reserve(kLinkKeysMax);
  const auto put = [&link](const char* key, Json value) { link.emplace_back(key, std::move(value)); };
  put("ifindex", ifp.index());
  put("ifname", ifp.name());
  put("flags", flag_names(ifp));
  put("mtu", ifp.mtu_bytes());
  put("qdisc", "pfifo");
  put("operstate", operstate(ifp));
  put("linkmode", "DEFAULT");
  put("group", "default");
  put("txqlen", net::IfQueue::kDefaultFrames);
  put("link_type", "ether");
  put("address", ifp.lladdr().to_string());
  put("broadcast", net::kBroadcast.to_string());
  put("promiscuity", ifp.promisc_count());
  put("allmulti", ifp.allmulti_count());
  put("min_mtu", net::Ifnet::kMtuMin);
  put("max_mtu", ifp.mtu_bytes_max());
  if (const net::Ifnet* master = node.bridges().master_of(ifp)) put("master", master->name());
  if (node.bridges().find(ifp) != nullptr) put("linkinfo", Json{{"info_kind", Bridges::kKind}});
  Json own = own_json(node, ifp);
  if (with_stats) {
    const net::IfData data = ifp.counters.read();
    put("stats64", stats_json(data));
    own["received"] = data.received();
    own["offered"] = data.offered();
    own["rx_segments"] = data.isegments;
    own["tx_segments"] = data.osegments;
    own["tx_cut"] = data.ocut;
    own["tx_multicast"] = data.omcasts;
    own["drops"] = drops_json(data);
  }
  put("virtif", std::move(own));
  return Json(std::move(link));
}

}  // namespace vif::host
