// SPDX-License-Identifier: BSD-2-Clause
// route.add, route.del, route.show, and neigh.add, neigh.del, neigh.show: ways to elsewhere, and to who is next.
#include <algorithm>
#include <array>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

using namespace net::inet;

constexpr std::array kRouteParams = {
    VerbParam{"dst", ParamType::text, true,
              "the network, as in 198.51.100.0/24; default: everything of the gateway's family, without one of IPv4"},
    VerbParam{"gateway", ParamType::text, false, "the router; without it the network is on the link"},
    VerbParam{"dev", ParamType::text, false, "the interface; without it the one in whose network the gateway is"}};
constexpr std::array kNeighParams = {VerbParam{"dst", ParamType::text, true, "the neighbour's IP address"},
                                     VerbParam{"lladdr", ParamType::text, true, "its Ethernet address"},
                                     VerbParam{"dev", ParamType::text, true, "the interface it is behind"}};
constexpr std::array kNeighDelParams = {kNeighParams[0], kNeighParams[2]};
constexpr std::array kNeighShowParams = {
    VerbParam{"dev", ParamType::text, false, "this interface's; all, when it is not given"}};

bool is_default(const IpPrefix& prefix) { return prefix.bits == 0; }

Result<StaticRoute> parse_route(Node& node, const Json& params) {
  StaticRoute route;
  if (const auto gateway = text(params, "gateway")) {
    const Result<IpAddress> parsed = IpAddress::parse(*gateway);
    if (!parsed) return parsed.error();
    route.gateway = *parsed;
  }
  if (const std::string dst = *text(params, "dst"); dst == "default") {
    route.to = {route.gateway.is_unspecified() ? kAny4 : any_of(route.gateway), 0};
  } else {
    const Result<IpPrefix> parsed = IpPrefix::parse(dst);
    if (!parsed) return parsed.error();
    if (parsed->network() != *parsed) {
      return fail(EINVAL,
                  dst + " is no network, as it has bits behind its length: " + parsed->network().to_string() + " is");
    }
    route.to = *parsed;
  }
  if (const auto dev = text(params, "dev")) {
    const Result<net::Ifnet*> ifp = node.find(*dev);
    if (!ifp) return ifp.error();
    if (Status attached = node.attach_inet(**ifp); !attached) return attached.error();
    route.out = *ifp;
  }
  return route;
}

const char* protocol_name(Node& node, const InetRoute& route) {
  if (node.leases().gave(route)) return "dhcp";
  switch (route.origin) {
    case RouteOrigin::connected:
      return "kernel";
    case RouteOrigin::manual:
      return "static";
    case RouteOrigin::advertised:
      return "ra";
  }
  return "";
}

// A host is written without a length, as ip(8) does.
std::string destination(const IpPrefix& to) {
  if (is_default(to)) return "default";
  return to.bits == to.address.bits() ? to.address.to_string() : to.to_string();
}

Json route_json(Node& node, const InetRoute& route) {
  Json json = {{"dst", destination(route.to)}};
  json["family"] = route.to.address.is_v4() ? "inet" : "inet6";  // ip(8) asks for one at a time
  if (!route.gateway.is_unspecified()) json["gateway"] = route.gateway.to_string();
  json["dev"] = route.out->name();
  json["protocol"] = protocol_name(node, route);
  if (route.to.address.is_v4() && route.gateway.is_unspecified()) json["scope"] = "link";
  for (const InterfaceAddress& own : node.inet().addresses(*route.out)) {
    if (route.origin != RouteOrigin::connected || !own.address().is_v4() || own.prefix.network() != route.to) continue;
    json["prefsrc"] = own.address().to_string();
    break;
  }
  json["flags"] = Json::array();
  return json;
}

// Whether an operator set, or means, this one.
bool matches(const InetRoute& route, const StaticRoute& said) {
  return route.origin == RouteOrigin::manual && route.to.network() == said.to.network() &&
         (said.gateway.is_unspecified() || route.gateway == said.gateway) &&
         (said.out == nullptr || route.out == said.out);
}

Status check_new(Node& node, const StaticRoute& route) {
  if (route.gateway.is_unspecified() && route.out == nullptr) {
    return fail(EINVAL, "a route goes to a gateway, or out of an interface: say 'gateway' (via) or 'dev'");
  }
  for (const net::Ifnet* ifp : node.domain().interfaces()) {
    const std::vector<InterfaceAddress> own = node.inet().addresses(*ifp);
    if (std::ranges::find(own, route.gateway, &InterfaceAddress::address) == own.end()) continue;
    return fail(EINVAL,
                route.gateway.to_string() + " is the address of " + ifp->name() + " here: a gateway is another host");
  }
  for (const InetRoute& there : node.inet().routes()) {
    if (!matches(there, route) || there.gateway.is_unspecified() != route.gateway.is_unspecified()) continue;
    return fail(EEXIST, "there is such a route to " + route.to.to_string());
  }
  return {};
}

Result<Json> add_route(Node& node, const Json& params) {
  const Result<StaticRoute> route = parse_route(node, params);
  if (!route) return route.error();
  if (Status is_new = check_new(node, *route); !is_new) return is_new.error();
  if (Status done = node.inet().add_route(*route); !done) return done.error();
  for (const InetRoute& added : node.inet().routes()) {
    if (matches(added, *route)) {
      node.tell("route.new", {{"route", route_json(node, added)}});
      break;
    }
  }
  return Json::object();
}

// The first that was set and has what is said of it.
Result<Json> remove_route(Node& node, const Json& params) {
  Result<StaticRoute> said = parse_route(node, params);
  if (!said) return said.error();
  for (const InetRoute& route : node.inet().routes()) {
    if (!matches(route, *said)) continue;
    const Json json = route_json(node, route);
    net::Ifnet* const out = node.interfaces().find(route.out->name());
    if (Status done = node.inet().remove_route({route.to, route.gateway, out}); !done) return done.error();
    node.tell("route.del", {{"route", json}});
    return Json::object();
  }
  return fail(ESRCH, "no route to " + said->to.to_string() + " was set; `route show` shows those there are");
}

Result<Json> show_routes(Node& node, const Json&) {
  Json routes = Json::array();
  for (const InetRoute& route : node.inet().routes()) {
    routes.push_back(route_json(node, route));
  }
  return routes;
}

// What a verb about one neighbour speaks of.
struct Named {
  net::Ifnet* ifp;
  IpAddress address;
};
Result<Named> parse_neighbour(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = node.find(*text(params, "dev"));
  if (!ifp) return ifp.error();
  const Result<IpAddress> address = IpAddress::parse(*text(params, "dst"));
  if (!address) return address.error();
  return Named{*ifp, *address};
}

Result<Json> add_neighbour(Node& node, const Json& params) {
  const Result<Named> named = parse_neighbour(node, params);
  if (!named) return named.error();
  const Result<net::MacAddress> mac = net::MacAddress::parse(*text(params, "lladdr"));
  if (!mac) return mac.error();
  if (mac->is_group()) return fail(EINVAL, mac->to_string() + " is a group's address: a neighbour has its own");
  for (const Neighbour& there : node.inet().neighbours(*named->ifp)) {
    if (there.address != named->address || there.state != NeighbourState::permanent) continue;
    return fail(EEXIST, named->address.to_string() + " is fixed at " + there.mac.to_string() +
                            ": `neigh del` takes that away first");
  }
  if (Status attached = node.attach_inet(*named->ifp); !attached) return attached.error();
  if (Status added = node.inet().add_neighbour(*named->ifp, named->address, *mac); !added) return added.error();
  node.tell("neigh.new",
            {{"dst", named->address.to_string()}, {"dev", named->ifp->name()}, {"lladdr", mac->to_string()}});
  return Json::object();
}

Result<Json> remove_neighbour(Node& node, const Json& params) {
  const Result<Named> named = parse_neighbour(node, params);
  if (!named) return named.error();
  if (Status removed = node.inet().remove_neighbour(*named->ifp, named->address); !removed) return removed.error();
  node.tell("neigh.del", {{"dst", named->address.to_string()}, {"dev", named->ifp->name()}});
  return Json::object();
}

Result<Json> show_neighbours(Node& node, const Json& params) {
  std::vector<net::Ifnet*> chosen = node.domain().interfaces();
  if (const auto dev = text(params, "dev")) {
    const Result<net::Ifnet*> ifp = node.find(*dev);
    if (!ifp) return ifp.error();
    chosen = {*ifp};
  }
  static constexpr std::array kStates = {"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"};
  Json all = Json::array();
  for (const net::Ifnet* ifp : chosen) {
    for (const Neighbour& neighbour : node.inet().neighbours(*ifp)) {
      Json json = {{"dst", neighbour.address.to_string()}, {"dev", ifp->name()}};
      if (neighbour.state != NeighbourState::incomplete) json["lladdr"] = neighbour.mac.to_string();
      if (neighbour.router) json["router"] = nullptr;  // as ip(8) writes a flag
      json["state"] = Json::array({kStates[static_cast<std::size_t>(neighbour.state)]});
      all.push_back(std::move(json));
    }
  }
  return all;
}

constexpr std::array kRouteVerbs = {
    Verb{"route.add", "Adds a route.", kRouteParams, "{}", add_route},
    Verb{"route.del", "Takes a route away.", kRouteParams, "{}", remove_route},
    Verb{"route.show",
         "The routes in the order they are tried, with keys of `ip -j route`.",
         {},
         "an array of {dst, family, gateway, dev, protocol, scope, prefsrc, flags}",
         show_routes},
};
constexpr std::array kNeighVerbs = {
    Verb{"neigh.add", "Fixes a neighbour's Ethernet address.", kNeighParams, "{}", add_neighbour},
    Verb{"neigh.del", "Forgets a neighbour.", kNeighDelParams, "{}", remove_neighbour},
    Verb{"neigh.show", "The neighbours, with keys of `ip -j neigh`.", kNeighShowParams,
         "an array of {dst, dev, lladdr, state}", show_neighbours},
};

}  // namespace

std::span<const Verb> route_verbs() { return kRouteVerbs; }
std::span<const Verb> neigh_verbs() { return kNeighVerbs; }

}  // namespace vif::host
