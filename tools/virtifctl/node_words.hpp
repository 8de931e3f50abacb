// SPDX-License-Identifier: BSD-2-Clause
// iproute2's language for the verbs: "link set virt0 mtu 1400 up" is link.set with {"ifname", "mtu", "up"}.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/result.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

struct NodeCall {
  std::string verb;
  Json params;
  std::string action{};  // what was said, as in "replace", for which the verb is addr.add
};

// What may follow virtifctl: link, maddr, addr, route, neigh, port, fdb.
std::span<const std::string_view> node_objects();

// `words` are what follows the object. Without any: show. EINVAL says what could stand there.
Result<NodeCall> parse_node_words(std::string_view object, const std::vector<std::string>& words);

// A line for each command of the object, for its --help.
std::string node_usage(std::string_view object);

}  // namespace vif::tools
