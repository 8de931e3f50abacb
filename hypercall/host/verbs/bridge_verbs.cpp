// SPDX-License-Identifier: BSD-2-Clause
// port.show, and fdb.add, fdb.del, fdb.show: bridges, as bridge(8) shows them. link.add makes one, link.set's master
// joins one.
#include <array>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

constexpr VerbParam kIfname{"ifname", ParamType::text, false, "of this bridge; of all, when it is not given"};
constexpr std::array kShowParams = {kIfname};
constexpr VerbParam kLladdr{"lladdr", ParamType::text, true, "the station's Ethernet address"};
constexpr VerbParam kDev{"dev", ParamType::text, true, "the port it is behind"};
constexpr std::array kFdbParams = {kLladdr, kDev};

// The bridges that a show verb speaks of. EINVAL: the named interface is none.
Result<std::vector<net::Ifnet*>> chosen_bridges(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> chosen = chosen_interfaces(node, params);
  if (!chosen) return chosen.error();
  std::vector<net::Ifnet*> bridges;
  for (net::Ifnet* ifp : *chosen) {
    if (node.bridges().find(*ifp) != nullptr) bridges.push_back(ifp);
    else if (params.contains("ifname")) return fail(EINVAL, ifp->name() + " is no bridge");
  }
  return bridges;
}

Json port_json(const net::Ifnet& port, const net::Ifnet& master, const net::BridgePortData& data) {
  Json fates = Json::object();
  for (std::size_t i = 0; i < net::kBridgeFates; ++i) fates[std::string(net::kBridgeFateNames[i])] = data.fates[i];
  const bool blocked = data.blocked_by != net::BridgeBlock::none;
  return {{"ifindex", port.index()},
          {"ifname", port.name()},
          {"mtu", port.mtu_bytes()},
          {"master", master.name()},
          {"state", blocked                     ? "blocking"
                    : port.is(net::IFF_RUNNING) ? "forwarding"
                                                : "disabled"},
          {"virtif",
           {{"blocked_by", name(data.blocked_by)},
            {"stations", data.stations},
            {"given", data.given},
            {"probes", data.probes},
            {"times_blocked", data.times_blocked},
            {"fates", std::move(fates)}}}};
}

Result<Json> show_ports(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> bridges = chosen_bridges(node, params);
  if (!bridges) return bridges.error();
  Json all = Json::array();
  for (const net::Ifnet* master : *bridges) {
    const net::Bridge& bridge = *node.bridges().find(*master);
    for (const net::Ifnet* port : node.bridges().ports(*master)) {
      if (const Result<net::BridgePortData> data = bridge.data(*port)) all.push_back(port_json(*port, *master, *data));
    }
  }
  return all;
}

// What fdb.add and fdb.del speak of.
struct Named {
  net::Ifnet* port;
  net::Bridge* bridge;
  net::MacAddress address;
};
Result<Named> parse(Node& node, const Json& params) {
  const Result<net::Ifnet*> port = node.find(*text(params, "dev"));
  if (!port) return port.error();
  const net::Ifnet* const master = node.bridges().find(**port) != nullptr ? *port : node.bridges().master_of(**port);
  if (master == nullptr) return fail(EINVAL, (*port)->name() + " is no bridge's port");
  const Result<net::MacAddress> address = net::MacAddress::parse(*text(params, "lladdr"));
  if (!address) return address.error();
  return Named{*port, node.bridges().find(*master), *address};
}

Result<Json> add(Node& node, const Json& params) {
  const Result<Named> named = parse(node, params);
  if (!named) return named.error();
  if (Status added = named->bridge->add_static(*named->port, 0, named->address); !added) return added.error();
  return Json::object();
}

Result<Json> del(Node& node, const Json& params) {
  const Result<Named> named = parse(node, params);
  if (!named) return named.error();
  if (Status removed = named->bridge->remove_static(0, named->address); !removed) return removed.error();
  return Json::object();
}

Result<Json> show(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> bridges = chosen_bridges(node, params);
  if (!bridges) return bridges.error();
  Json all = Json::array();
  for (const net::Ifnet* master : *bridges) {
    for (const net::BridgeStation& station : node.bridges().find(*master)->stations()) {
      Json json = {{"mac", station.address.to_string()}, {"ifname", station.ifp->name()}, {"flags", Json::array()}};
      json["master"] = master->name();
      json["state"] = station.is_static ? "permanent" : "";
      json["virtif"] = {{"silent_s", std::chrono::duration_cast<std::chrono::seconds>(station.silent_for).count()}};
      all.push_back(std::move(json));
    }
  }
  return all;
}

constexpr std::array kVerbs = {
    Verb{"port.show", "The ports of bridges, with keys of `bridge -j link`.", kShowParams,
         "an array of {ifindex, ifname, mtu, master, state}", show_ports},
    Verb{"fdb.add", "Says where a station is, until fdb.del; it is not part of the configuration.", kFdbParams, "{}",
         add},
    Verb{"fdb.del", "Takes back what fdb.add said.", kFdbParams, "{}", del},
    Verb{"fdb.show", "Who is behind which port, with keys of `bridge -j fdb`.", kShowParams,
         "an array of {mac, ifname, flags, master, state}", show},
};

}  // namespace

std::span<const Verb> bridge_verbs() { return kVerbs; }

}  // namespace vif::host
