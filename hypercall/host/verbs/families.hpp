// SPDX-License-Identifier: BSD-2-Clause
// The families of verbs, a file each; verb.cpp joins them. And what several of them need.
#pragma once

#include <optional>

#include "hypercall/host/verbs/verb.hpp"

namespace vif::host {

std::span<const Verb> link_verbs();
std::span<const Verb> maddr_verbs();
std::span<const Verb> addr_verbs();
std::span<const Verb> route_verbs();
std::span<const Verb> neigh_verbs();
std::span<const Verb> bridge_verbs();
std::span<const Verb> ping_verbs();
std::span<const Verb> config_verbs();

inline constexpr std::string_view kDhcp = "dhcp";  // in place of an address

// The string `key` of checked parameters; empty: not given.
inline std::optional<std::string> text(const Json& params, std::string_view key) {
  const auto at = params.find(key);
  if (at == params.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

// As maddr.add takes it: "LOW-HIGH", or one address.
std::string range_text(const net::MacRange& range);

// The interface that the parameter "ifname" names. ENODEV: none.
inline Result<net::Ifnet*> named_interface(Node& node, const Json& params) {
  return node.find(params.at("ifname").get_ref<const std::string&>());
}

// The interfaces a show verb speaks of: the one named, or all. ENODEV: the named one is none.
Result<std::vector<net::Ifnet*>> chosen_interfaces(Node& node, const Json& params);

}  // namespace vif::host
