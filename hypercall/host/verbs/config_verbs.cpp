// SPDX-License-Identifier: BSD-2-Clause
// config.show and config.apply: all of a node that an operator set, as one document. What show gives, apply makes so
// again, here or in another virtifd; what is so already is left alone.
#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "hypercall/host/verbs/families.hpp"
#include "virtif/virtif.hpp"

namespace vif::host {
namespace {

using namespace net::inet;

constexpr std::array kApplyParams = {VerbParam{"config", ParamType::object, true,
                                               "a document as config.show gives it; what it leaves out is to be gone"}};

// --- show ---

// What only follows the wire is null, so that it goes on following where this is applied. An address that is nobody
// else's is kept, though nobody set it: others know the interface by it.
Json interface_config(Node& node, const net::Ifnet& ifp) {
  const auto* driver = dynamic_cast<const drv::Virtif*>(node.interfaces().find_clone(ifp.name()));
  const auto linkstr = driver == nullptr ? std::nullopt : driver->linkstr();
  const Node::Asked& asked = node.asked(ifp);
  const bool follows = driver != nullptr && driver->follows_lladdr();
  Json config = {{"ifname", ifp.name()},
                 {"linkstr", linkstr ? Json(*linkstr) : Json(nullptr)},
                 {"master", nullptr},
                 {"address", follows ? Json(nullptr) : Json(ifp.lladdr().to_string())},
                 {"mtu", asked.mtu ? Json(ifp.mtu_bytes()) : Json(nullptr)},
                 {"promisc", asked.promisc},
                 {"allmulti", asked.allmulti},
                 {"up", ifp.is(net::IFF_UP)},
                 {"maddr", Json::array()},
                 {"addr", Json::array()}};
  if (const net::Ifnet* master = node.bridges().master_of(ifp)) config["master"] = master->name();
  for (const net::MacRange& range : asked.groups) config["maddr"].push_back(range_text(range));
  if (node.leases().find(ifp) != nullptr) config["addr"].push_back(kDhcp);
  for (const InterfaceAddress& address : node.inet().addresses(ifp)) {
    if (address.origin == AddressOrigin::manual) config["addr"].push_back(address.prefix.to_string());
  }
  return config;
}

Json route_config(const InetRoute& route) {
  Json config = {{"dst", route.to.to_string()}};
  if (!route.gateway.is_unspecified()) config["gateway"] = route.gateway.to_string();
  config["dev"] = route.out->name();
  return config;
}

Result<Json> show(Node& node, const Json&) {
  Json config = {{"interfaces", Json::array()}, {"routes", Json::array()}, {"neighbours", Json::array()}};
  for (const net::Ifnet* ifp : node.domain().interfaces()) {
    config["interfaces"].push_back(interface_config(node, *ifp));
    for (const Neighbour& neighbour : node.inet().neighbours(*ifp)) {
      if (neighbour.state != NeighbourState::permanent) continue;
      config["neighbours"].push_back(
          {{"dst", neighbour.address.to_string()}, {"lladdr", neighbour.mac.to_string()}, {"dev", ifp->name()}});
    }
  }
  for (const InetRoute& route : node.inet().routes()) {
    if (route.origin == RouteOrigin::manual && !node.leases().gave(route))
      config["routes"].push_back(route_config(route));
  }
  return config;
}

// --- apply ---

Status call(Node& node, std::string_view verb, const Json& params) {
  const Result<Json> done = call_verb(node, *find_verb(verb), params);
  return done ? Status() : Status(done.error());
}

// The array `key` of the document, whose entries are to be of `type`. EINVAL: it is something else.
Result<Json> list(const Json& config, const char* key, Json::value_t type) {
  const Json entries = config.value(key, Json::array());
  const bool fits = entries.is_array() && std::ranges::all_of(entries, [&](const Json& e) { return e.type() == type; });
  if (fits) return entries;
  return fail(EINVAL,
              std::string("'") + key + "' is an array of " + (type == Json::value_t::object ? "objects" : "strings"));
}

using Change = std::function<Status(const Json&)>;

// Calls `del` for each of `there` that is not wanted, then `add` for each of `wanted` that is not there.
Status make_same(const Json& there, const Json& wanted, const Change& del, const Change& add) {
  for (const Json& entry : there) {
    if (std::ranges::find(wanted, entry) != wanted.end()) continue;
    if (Status done = del(entry); !done) return done;
  }
  for (const Json& entry : wanted) {
    if (std::ranges::find(there, entry) != there.end()) continue;
    if (Status done = add(entry); !done) return done;
  }
  return {};
}

// For the strings "maddr" or "addr" of an interface.
Status make_same_on(Node& node, const std::string& ifname, const std::string& family, const Json& there,
                    const Json& wanted) {
  const char* const key = family == "addr" ? "local" : "address";
  const auto change = [&](const char* how) {
    return [&node, &ifname, key, verb = family + how](const Json& entry) {
      return call(node, verb, {{"ifname", ifname}, {key, entry}});
    };
  };
  return make_same(there, wanted, change(".del"), change(".add"));
}

// Addresses written as config.show writes them; what is none stays, for the verb to refuse.
std::string canonical(const std::string& prefix) {
  const Result<IpPrefix> parsed = IpPrefix::parse(prefix);
  return parsed ? parsed->to_string() : prefix;
}

// The same for a route, which may also leave out its interface where `there` has one with the rest.
Json canonical_route(const Json& route, const Json& there) {
  const std::string gateway = text(route, "gateway").value_or("");
  const std::string dst = text(route, "dst").value_or("");
  Json full = route;
  if (dst == "default") full["dst"] = gateway.find(':') == std::string::npos ? "0.0.0.0/0" : "::/0";
  else if (!dst.empty()) full["dst"] = canonical(dst);
  if (full.contains("dev")) return full;
  for (const Json& known : there) {
    Json without = known;
    without.erase("dev");
    if (without == full) return known;
  }
  return full;
}

// What link.set is to be told so that `there` becomes `wanted`.
Json difference(const Json& there, const Json& wanted) {
  Json change = {{"ifname", there["ifname"]}};
  for (const auto& [key, value] : wanted.items()) {
    if (key != "maddr" && key != "addr" && there.value(key, Json()) != value) change[key] = value;
  }
  return change;
}

Status apply_interface(Node& node, const Json& wanted) {
  const auto& ifname = wanted["ifname"].get_ref<const std::string&>();
  const net::Ifnet& ifp = *node.interfaces().find(ifname);
  Json change = difference(interface_config(node, ifp), wanted);
  // What was removed under a link is not as it is wanted, though the link string is the same.
  const auto* driver = dynamic_cast<const drv::Virtif*>(node.interfaces().find_clone(ifname));
  if (driver != nullptr && driver->link_is_gone() && wanted.contains("linkstr")) change["linkstr"] = wanted["linkstr"];
  if (change.size() > 1) {
    if (Status set = call(node, "link.set", change); !set) return set;
  }
  Json addresses = wanted.value("addr", Json::array());
  const Json there = interface_config(node, ifp);
  for (Json& address : addresses) address = canonical(address.get<std::string>());
  if (Status same = make_same_on(node, ifname, "maddr", there["maddr"], wanted.value("maddr", Json::array())); !same)
    return same;
  return make_same_on(node, ifname, "addr", there["addr"], addresses);
}

// All of an interface's entry that can be judged without the host.
Status check_interface(const Node& node, const Json& wanted) {
  Json settings = wanted;
  settings.erase("maddr");
  settings.erase("addr");
  if (Status fits = check_params(*find_verb("link.set"), settings); !fits) return fits;
  if (const auto linkstr = text(wanted, "linkstr")) {
    const auto parsed = drv::Linkstr::parse(*linkstr);
    if (!parsed) return parsed.error();
    if (Status fits = node.links().check(*parsed); !fits) return fits;
  }
  const Result<Json> groups = list(wanted, "maddr", Json::value_t::string);
  if (!groups) return groups.error();
  const Result<Json> addresses = list(wanted, "addr", Json::value_t::string);
  if (!addresses) return addresses.error();
  for (const Json& address : *addresses) {
    if (address == kDhcp) continue;
    if (const auto parsed = IpPrefix::parse(address.get<std::string>()); !parsed) return parsed.error();
  }
  return {};
}

// `what` and its place in front of the error, when there is one.
Status at(const std::string& what, std::size_t index, Status status) {
  if (status) return status;
  return Error{status.error().code, what + "[" + std::to_string(index) + "]: " + status.error().text};
}

// EEXIST: the entry says the same of the same as an earlier one, by these keys.
Status check_first(const Json& entries, std::size_t index, std::initializer_list<const char*> keys) {
  const auto same = [&](const Json& other) {
    return std::ranges::all_of(
        keys, [&](const char* key) { return other.value(key, Json()) == entries[index].value(key, Json()); });
  };
  if (std::find_if(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(index), same) ==
      entries.begin() + static_cast<std::ptrdiff_t>(index)) {
    return {};
  }
  return fail(EEXIST, entries[index][*keys.begin()].get<std::string>() + " is there twice");
}

Status check_all(const Node& node, const Json& interfaces, const Json& routes, const Json& neighbours) {
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    if (Status fits = at("interfaces", i, check_interface(node, interfaces[i])); !fits) return fits;
    if (Status first = at("interfaces", i, check_first(interfaces, i, {"ifname"})); !first) return first;
  }
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (Status fits = at("routes", i, check_params(*find_verb("route.add"), routes[i])); !fits) return fits;
    if (Status first = at("routes", i, check_first(routes, i, {"dst", "gateway", "dev"})); !first) return first;
  }
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    if (Status fits = at("neighbours", i, check_params(*find_verb("neigh.add"), neighbours[i])); !fits) return fits;
    if (Status first = at("neighbours", i, check_first(neighbours, i, {"dst", "dev"})); !first) return first;
  }
  return {};
}

Status remove_unlisted(Node& node, const Json& wanted) {
  std::set<std::string> listed;
  for (const Json& interface : wanted) listed.insert(interface["ifname"].get<std::string>());
  const std::vector<net::Ifnet*> all = node.domain().interfaces();
  for (const net::Ifnet* ifp : all) {
    if (listed.contains(ifp->name())) continue;
    if (Status gone = call(node, "link.del", {{"ifname", ifp->name()}}); !gone) return gone;
  }
  return {};
}

// Before any is set: one may be the bridge of another.
Status make_missing(Node& node, const Json& wanted) {
  for (const Json& interface : wanted) {
    const auto& ifname = interface["ifname"].get_ref<const std::string&>();
    if (node.interfaces().find(ifname) != nullptr) continue;
    if (Status made = call(node, "link.add", {{"ifname", ifname}}); !made) {
      return Error{made.error().code, ifname + ": " + made.error().text};
    }
  }
  return {};
}

Result<Json> apply(Node& node, const Json& params) {
  const Json& config = params["config"];
  for (const auto& [key, value] : config.items()) {
    if (key != "interfaces" && key != "routes" && key != "neighbours") {
      return fail(EINVAL, "a configuration has no '" + key + "'; it has interfaces, routes and neighbours");
    }
  }
  std::array<Result<Json>, 3> wanted = {list(config, "interfaces", Json::value_t::object),
                                        list(config, "routes", Json::value_t::object),
                                        list(config, "neighbours", Json::value_t::object)};
  for (const Result<Json>& part : wanted) {
    if (!part) return part.error();
  }
  if (Status fits = check_all(node, *wanted[0], *wanted[1], *wanted[2]); !fits) return fits.error();
  if (Status removed = remove_unlisted(node, *wanted[0]); !removed) return removed.error();
  if (Status made = make_missing(node, *wanted[0]); !made) return made.error();
  for (const Json& interface : *wanted[0]) {
    if (Status done = apply_interface(node, interface); !done) {
      return Error{done.error().code, interface["ifname"].get<std::string>() + ": " + done.error().text};
    }
  }
  const Json there = *show(node, Json::object());
  for (Json& route : *wanted[1]) route = canonical_route(route, there["routes"]);
  Status same = make_same(
      there["routes"], *wanted[1], [&](const Json& route) { return call(node, "route.del", route); },
      [&](const Json& route) { return call(node, "route.add", route); });
  if (!same) return same.error();
  same = make_same(
      there["neighbours"], *wanted[2],
      [&](const Json& entry) {
        return call(node, "neigh.del", {{"dst", entry["dst"]}, {"dev", entry["dev"]}});
      },
      [&](const Json& entry) { return call(node, "neigh.add", entry); });
  if (!same) return same.error();
  return Json::object();
}

constexpr std::array kVerbs = {
    Verb{"config.show", "All that was set, as one document.", {}, "{interfaces, routes, neighbours}", show},
    Verb{"config.apply",
         "Makes it all as a document says, if all of it makes sense. Stops at the first thing that the host refuses.",
         kApplyParams, "{}", apply},
};

}  // namespace

std::span<const Verb> config_verbs() { return kVerbs; }

}  // namespace vif::host
