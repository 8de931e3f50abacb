// SPDX-License-Identifier: BSD-2-Clause
// BSD's language for the verbs: "virt0 create linkstr tap:tap0 inet 192.0.2.1/24" is link.add, then addr.add. And what
// BSD prints of interfaces. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/virtifctl/node_words.hpp"

namespace vif::tools {

struct IfconfigCall : NodeCall {
  bool replaces = false;  // an inet without alias: of addresses that were set, the first of IPv4 is gone then
};

// `words` follow ifconfig's options: an interface, and what to do to it; nothing to do: no call. EINVAL says what could
// stand there.
Result<std::vector<IfconfigCall>> parse_ifconfig_words(const std::vector<std::string>& words);

// What may follow the interface, for --help.
std::string ifconfig_usage();

// The interfaces as addr.show gives them, in the form of NetBSD's ifconfig(8).
std::string ifconfig_text(const Json& links);

}  // namespace vif::tools
