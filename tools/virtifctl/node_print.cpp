// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/node_print.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace vif::tools {
namespace {

// Of the JSON of a virtifd of our version: a key that is missing shows as nothing.
std::string text(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return "";
  return at->is_string() ? at->get<std::string>() : at->dump();
}

std::string joined(const Json& words) {
  std::string all;
  for (const Json& word : words) all += (all.empty() ? "" : ",") + word.get<std::string>();
  return all;
}

void print_stats(const Json& stats, const Json& drops) {
  fmt::print("    RX: {:>14} {:>12} {:>8} {:>8} {:>8} {:>10}\n", "bytes", "packets", "errors", "dropped", "overrun",
             "multicast");
  const Json& rx = stats["rx"];
  fmt::print("        {:>14} {:>12} {:>8} {:>8} {:>8} {:>10}\n", text(rx, "bytes"), text(rx, "packets"),
             text(rx, "errors"), text(rx, "dropped"), text(rx, "over_errors"), text(rx, "multicast"));
  fmt::print("    TX: {:>14} {:>12} {:>8} {:>8} {:>8} {:>10}\n", "bytes", "packets", "errors", "dropped", "carrier",
             "collisions");
  const Json& tx = stats["tx"];
  fmt::print("        {:>14} {:>12} {:>8} {:>8} {:>8} {:>10}\n", text(tx, "bytes"), text(tx, "packets"),
             text(tx, "errors"), text(tx, "dropped"), text(tx, "carrier_errors"), text(tx, "collisions"));
  std::string reasons;
  for (const auto& [reason, frames] : drops.items()) {
    if (frames != 0) reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, frames.dump());
  }
  if (!reasons.empty()) fmt::print("    dropped: {}\n", reasons);
}

void print_link(const Json& link) {
  const std::string master = text(link, "master");
  fmt::print("{}: {}: <{}> mtu {}{} state {}\n", text(link, "ifindex"), text(link, "ifname"), joined(link["flags"]),
             text(link, "mtu"), master.empty() ? "" : " master " + master, text(link, "operstate"));
  fmt::print("    link/{} {} brd {}\n", text(link, "link_type"), text(link, "address"), text(link, "broadcast"));
  const Json& own = link["virtif"];
  const std::string linkstr = text(own, "linkstr");
  if (link.contains("linkinfo")) fmt::print("    {}\n", text(link["linkinfo"], "info_kind"));
  else fmt::print("    {}\n", linkstr.empty() ? "no link" : "linkstr " + linkstr);
  if (own.contains("chosen")) fmt::print("    {}\n", text(own, "chosen"));
  if (own.contains("link_error")) fmt::print("    link error: {}\n", text(own, "link_error"));
  if (link.contains("stats64")) print_stats(link["stats64"], own["drops"]);
}

std::string lifetime(const Json& address, const char* key) {
  const auto seconds = address[key].get<std::uint64_t>();
  return seconds == UINT32_MAX ? "forever" : fmt::format("{}sec", seconds);
}

void print_dhcp(const Json& dhcp) {
  std::string line = "    dhcp " + text(dhcp, "state");
  if (dhcp.contains("server")) line += " server " + text(dhcp, "server");
  if (!dhcp["dns"].empty()) line += " dns " + joined(dhcp["dns"]);
  fmt::print("{}\n", line);
}

void print_addresses(const Json& link) {
  print_link(link);
  if (link["virtif"].contains("dhcp")) print_dhcp(link["virtif"]["dhcp"]);
  for (const Json& address : link["addr_info"]) {
    std::string line =
        fmt::format("    {} {}/{}", text(address, "family"), text(address, "local"), text(address, "prefixlen"));
    if (address.contains("broadcast")) line += " brd " + text(address, "broadcast");
    line += " scope " + text(address, "scope");
    for (const char* state : {"tentative", "deprecated", "dadfailed"}) {
      if (address.contains(state)) line += std::string(" ") + state;
    }
    fmt::print("{} proto {}\n", line, text(address, "protocol"));
    fmt::print("       valid_lft {} preferred_lft {}\n", lifetime(address, "valid_life_time"),
               lifetime(address, "preferred_life_time"));
  }
}

void print_groups(const Json& link) {
  fmt::print("{}: {}\n", text(link, "ifindex"), text(link, "ifname"));
  for (const Json& group : link["maddr"]) {
    fmt::print("    link  {}{}\n", text(group, "link"),
               group["users"] == 1 ? "" : fmt::format(" users {}", text(group, "users")));
  }
}

void print_route(const Json& route) {
  const std::string gateway = text(route, "gateway");
  fmt::print("{}{} dev {} proto {}\n", text(route, "dst"), gateway.empty() ? "" : " via " + gateway, text(route, "dev"),
             text(route, "protocol"));
}

void print_neighbour(const Json& neighbour) {
  const std::string lladdr = text(neighbour, "lladdr");
  fmt::print("{} dev {}{}{} {}\n", text(neighbour, "dst"), text(neighbour, "dev"),
             lladdr.empty() ? "" : " lladdr " + lladdr, neighbour.contains("router") ? " router" : "",
             joined(neighbour["state"]));
}

void print_port(const Json& port) {
  const Json& own = port["virtif"];
  std::string line = fmt::format("{}: {}: mtu {} master {} state {}", text(port, "ifindex"), text(port, "ifname"),
                                 text(port, "mtu"), text(port, "master"), text(port, "state"));
  if (port["state"] == "blocking") line += " by " + text(own, "blocked_by");
  fmt::print("{} stations {}\n", line, text(own, "stations"));
  std::string fates;
  for (const auto& [fate, frames] : own["fates"].items()) {
    if (frames != 0) fates += fmt::format("{}{} {}", fates.empty() ? "" : ", ", fate, frames.dump());
  }
  if (!fates.empty()) fmt::print("    {}\n", fates);
}

void print_station(const Json& station) {
  fmt::print("{} dev {} master {} {}\n", text(station, "mac"), text(station, "ifname"), text(station, "master"),
             station["state"] == "permanent" ? "permanent" : "heard " + text(station["virtif"], "silent_s") + " s ago");
}

void print_link_event(const Json& event) {
  const Json& link = event["link"];
  fmt::print("{}", text(link, "ifname"));
  if (link.contains("flags")) {
    const std::string master = text(link, "master");
    fmt::print(" <{}> mtu {}{} state {} address {}", joined(link["flags"]), text(link, "mtu"),
               master.empty() ? "" : " master " + master, text(link, "operstate"), text(link, "address"));
    const std::string error = text(link["virtif"], "link_error");
    if (!error.empty()) fmt::print(" link error: {}", error);
  }
  fmt::print("\n");
}

void print_address_event(const Json& event) { fmt::print("{} dev {}\n", text(event, "local"), text(event, "ifname")); }
void print_group_event(const Json& event) { fmt::print("{} dev {}\n", text(event, "link"), text(event, "ifname")); }
void print_route_event(const Json& event) { print_route(event["route"]); }

void print_neighbour_event(const Json& event) {
  const std::string lladdr = text(event, "lladdr");
  fmt::print("{} dev {}{}\n", text(event, "dst"), text(event, "dev"), lladdr.empty() ? "" : " lladdr " + lladdr);
}

void print_worker_event(const Json& event) {
  fmt::print("{} {}{}\n", text(event, "worker"), text(event, "end"),
             event.contains("reason") ? " " + text(event, "reason") : "");
}

struct Printer {
  std::string_view what;
  void (*print)(const Json& row);
};
// What OBJECT.show gives an array of.
constexpr std::array kRows = {Printer{"link", print_link},       Printer{"addr", print_addresses},
                              Printer{"maddr", print_groups},    Printer{"route", print_route},
                              Printer{"neigh", print_neighbour}, Printer{"port", print_port},
                              Printer{"fdb", print_station}};
// By what stands before the dot in an event's kind.
constexpr std::array kEvents = {Printer{"link", print_link_event},       Printer{"addr", print_address_event},
                                Printer{"maddr", print_group_event},     Printer{"route", print_route_event},
                                Printer{"neigh", print_neighbour_event}, Printer{"worker", print_worker_event}};

}  // namespace

void print_node(std::string_view object, const Json& result) {
  const auto* const printer = std::ranges::find(kRows, object, &Printer::what);
  for (const Json& row : result) printer->print(row);
}

void print_brief(std::string_view object, const Json& result) {
  for (const Json& row : result) {
    std::string last;
    for (const Json& address : row.value("addr_info", Json::array())) {
      last += fmt::format("{}/{} ", text(address, "local"), text(address, "prefixlen"));
    }
    if (object == "link") last = fmt::format("{} <{}> ", text(row, "address"), joined(row["flags"]));
    fmt::print("{:<16} {:<14} {}\n", text(row, "ifname"), text(row, "operstate"), last);
  }
}

void print_notification(std::string_view method, const Json& params) {
  if (method == "gap") return fmt::print("(missed {} events)\n", text(params, "lost"));
  const std::string kind = text(params, "kind");
  const auto* const printer = std::ranges::find(kEvents, kind.substr(0, kind.find('.')), &Printer::what);
  fmt::print("{} {} ", text(params, "seq"), kind);
  if (printer != kEvents.end()) return printer->print(params);
  fmt::print("{}\n", params.dump());  // of a newer virtifd
}

}  // namespace vif::tools
