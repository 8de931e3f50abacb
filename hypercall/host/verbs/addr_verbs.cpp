// SPDX-License-Identifier: BSD-2-Clause
// addr.add, addr.del, addr.show: IP addresses.
#include <array>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

using namespace net::inet;

constexpr VerbParam kIfname{"ifname", ParamType::text, true, "the interface"};
constexpr std::array kAddParams = {
    kIfname,
    VerbParam{"local", ParamType::text, true,
              "the address and its network's length, as in 192.0.2.1/24; dhcp: what a DHCP server gives, as long as it "
              "does"},
    VerbParam{"probe", ParamType::boolean, false,
              "IPv4: ask the link first whether somebody has it, some seconds long (RFC 5227); IPv6 always does"}};
constexpr std::array kDelParams = {kIfname, VerbParam{"local", ParamType::text, true, "the address; dhcp: the lease"}};
constexpr std::array kShowParams = {
    VerbParam{"ifname", ParamType::text, false, "this one's; all, when it is not given"}};

constexpr std::uint32_t kForever = UINT32_MAX;  // as `ip -j addr` writes it

std::uint32_t seconds_left(Time until, Time now) {
  if (until == Time::max()) return kForever;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(std::max(until - now, Time(0))).count();
  return static_cast<std::uint32_t>(std::min<std::int64_t>(left, kForever - 1));
}

const char* scope_name(const IpAddress& address) {
  if (address.is_loopback()) return "host";
  return address.is_link_local() ? "link" : "global";
}

const char* protocol_name(AddressOrigin origin) {
  switch (origin) {
    case AddressOrigin::manual:
      return "static";
    case AddressOrigin::link_local:
      return "kernel_ll";
    case AddressOrigin::autoconfigured:
      return "kernel_ra";
    case AddressOrigin::dhcp:
      return "dhcp";
  }
  return "";
}

Json address_json(const std::string& ifname, const InterfaceAddress& address, Time now) {
  const bool is_v4 = address.address().is_v4();
  Json json = {{"family", is_v4 ? "inet" : "inet6"},
               {"local", address.address().to_string()},
               {"prefixlen", address.prefix.bits}};
  if (const IpAddress broadcast = address.prefix.broadcast(); !broadcast.is_unspecified()) {
    json["broadcast"] = broadcast.to_string();
  }
  json["scope"] = scope_name(address.address());
  if (is_v4) json["label"] = ifname;  // as the kernel has it where nobody gave another
  json["protocol"] = protocol_name(address.origin);
  if (address.state == AddressState::tentative) json["tentative"] = true;
  if (address.state == AddressState::deprecated) json["deprecated"] = true;
  if (address.state == AddressState::duplicate) json["dadfailed"] = true;
  json["valid_life_time"] = seconds_left(address.valid_until, now);
  json["preferred_life_time"] = seconds_left(address.preferred_until, now);
  return json;
}

Json dhcp_json(const DhcpClient& client, Time now) {
  static constexpr std::array kStates = {"stopped", "init",  "selecting", "requesting", "rebooting",
                                         "probing", "bound", "renewing",  "rebinding"};
  Json json = {{"state", kStates[static_cast<std::size_t>(client.state())]}, {"dns", Json::array()}};
  if (!client.lease()) return json;
  json["server"] = client.lease()->server.to_string();
  json["valid_life_time"] = seconds_left(client.lease()->until, now);
  for (const IpAddress& server : client.lease()->dns) json["dns"].push_back(server.to_string());
  return json;
}

Result<Json> add(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const auto& local = params["local"].get_ref<const std::string&>();
  const Result<IpPrefix> prefix = local == kDhcp ? IpPrefix{} : IpPrefix::parse(local);
  if (!prefix) return prefix.error();
  if (Status attached = node.attach_inet(**ifp); !attached) return attached.error();
  if (local == kDhcp) {
    if (Status started = node.leases().start(**ifp); !started) return started.error();
    return Json::object();
  }
  const Claim claim = params.value("probe", false) ? Claim::probe : Claim::at_once;
  if (Status added = node.inet().add_address(**ifp, *prefix, claim); !added) return added.error();
  return Json::object();
}

Result<Json> del(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const auto& local = params["local"].get_ref<const std::string&>();
  if (local == kDhcp) {
    if (Status ended = node.leases().end(**ifp); !ended) return ended.error();
    return Json::object();
  }
  const Result<IpPrefix> prefix = IpPrefix::parse(local);
  if (!prefix) return prefix.error();
  if (Status removed = node.inet().remove_address(**ifp, prefix->address); !removed) return removed.error();
  return Json::object();
}

Result<Json> show(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> chosen = chosen_interfaces(node, params);
  if (!chosen) return chosen.error();
  Json links = Json::array();
  for (const net::Ifnet* ifp : *chosen) {
    Json link = link_json(node, *ifp, false);
    Json& info = link["addr_info"] = Json::array();
    for (const InterfaceAddress& address : node.inet().addresses(*ifp)) {
      info.push_back(address_json(ifp->name(), address, node.domain().now()));
    }
    if (const DhcpClient* client = node.leases().find(*ifp)) {
      link["virtif"]["dhcp"] = dhcp_json(*client, node.domain().now());
    }
    links.push_back(std::move(link));
  }
  return links;
}

constexpr std::array kVerbs = {
    Verb{"addr.add", "Gives an interface an IP address, and brings it up.", kAddParams, "{}", add},
    Verb{"addr.del", "Takes an IP address away.", kDelParams, "{}", del},
    Verb{"addr.show", "The interfaces with their IP addresses, with keys of `ip -j addr`.", kShowParams,
         "an array of interfaces with addr_info", show},
};

}  // namespace

std::span<const Verb> addr_verbs() { return kVerbs; }

}  // namespace vif::host
