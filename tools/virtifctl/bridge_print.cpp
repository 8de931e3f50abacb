// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/bridge_print.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace vif::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kFirstRefusal = 2;  // of the fates: forwarded and flooded are no refusals

std::int64_t seconds(Time time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); }

std::string refusals(const net::BridgePortData& bridged, const net::IfData& data) {
  std::string text;
  const auto add = [&](std::uint64_t frames, std::string_view why) {
    if (frames != 0) text += fmt::format("{}{} {}", text.empty() ? "" : " ", frames, why);
  };
  for (std::size_t i = kFirstRefusal; i < net::kBridgeFates; ++i) add(bridged.fates[i], net::kBridgeFateNames[i]);
  for (std::size_t i = 0; i < kDropReasons; ++i) add(data.drops[i], kDropReasonNames[i]);
  return text;
}

void print_station(const net::BridgeStation& station) {
  fmt::print("{}  {:<8} {}\n", station.address.to_string(), station.ifp->name(),
             (station.vlan != 0 ? fmt::format("vlan {}, ", station.vlan) : std::string()) +
                 (station.is_static ? "static" : fmt::format("heard {} s ago", seconds(station.silent_for))));
}

ordered_json json_of(const host::BridgedLinks::Port& port) {
  const net::IfData data = port.ifp.counters.read();
  ordered_json row = {{"port", port.ifp.name()},
                      {"link", port.linkstr},
                      {"in", data.ipackets},
                      {"out", data.opackets},
                      {"cut", data.ocut},
                      {"given", port.bridged.given},
                      {"probes", port.bridged.probes},
                      {"flood_copies_failed", port.bridged.flood_copies_failed},
                      {"times_blocked", port.bridged.times_blocked},
                      {"blocked_by", std::string(name(port.bridged.blocked_by))},
                      {"stations", port.bridged.stations},
                      {"stations_displaced", port.bridged.stations_displaced},
                      {"stations_refused", port.bridged.stations_refused}};
  for (std::size_t i = 0; i < net::kBridgeFates; ++i) {
    row["bridged"][std::string(net::kBridgeFateNames[i])] = port.bridged.fates[i];
  }
  for (std::size_t i = 0; i < kDropReasons; ++i) row["dropped"][std::string(kDropReasonNames[i])] = data.drops[i];
  return row;
}

}  // namespace

void print_text(const host::BridgedLinks& links, bool with_stations) {
  fmt::print("{:<8}{:<28}{:>12}{:>12}{:>12}{:>10}  not passed on\n", "port", "link", "in", "out", "flooded",
             "stations");
  for (const host::BridgedLinks::Port& port : links.ports()) {
    const net::IfData data = port.ifp.counters.read();
    const net::BridgePortData& bridged = port.bridged;
    std::string rest = refusals(bridged, data);
    if (bridged.blocked_by != net::BridgeBlock::none) {
      rest += fmt::format("{}(blocked: {})", rest.empty() ? "" : " ", name(bridged.blocked_by));
    }
    fmt::print("{:<8}{:<28}{:>12}{:>12}{:>12}{:>10}{}{}\n", port.ifp.name(), port.linkstr, data.ipackets, data.opackets,
               bridged.count(net::BridgeFate::flooded), bridged.stations, rest.empty() ? "" : "  ", rest);
  }
  if (!with_stations) return;
  for (const net::BridgeStation& station : links.stations()) print_station(station);
}

void print_json(const host::BridgedLinks& links, bool with_stations) {
  ordered_json ports = ordered_json::array();
  for (const host::BridgedLinks::Port& port : links.ports()) ports.push_back(json_of(port));
  ordered_json all = {{"ports", std::move(ports)}};
  if (with_stations) {
    all["stations"] = ordered_json::array();
    for (const net::BridgeStation& station : links.stations()) {
      all["stations"].push_back({{"address", station.address.to_string()},
                                 {"vlan", station.vlan},
                                 {"port", station.ifp->name()},
                                 {"static", station.is_static},
                                 {"silent_s", seconds(station.silent_for)}});
    }
  }
  // A link string may name a file, and file names are bytes: what is no UTF-8 is replaced rather than refused.
  fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace vif::tools
