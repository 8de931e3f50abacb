// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/ether_demux.hpp"

#include <algorithm>

namespace vif::net {

Status EtherDemux::attach(EtherKey key, EtherProtocol& protocol) {
  if (find(key) != nullptr) {
    const bool llc = key > 0xffff;
    return fail(std::errc::file_exists, std::string(llc ? "LLC address " : "EtherType ") +
                                            std::to_string(key & 0xffff) + " has a protocol already");
  }
  protocols_.emplace_back(key, &protocol);
  return {};
}

void EtherDemux::detach(EtherKey key) {
  std::erase_if(protocols_, [&](const auto& entry) { return entry.first == key; });
}

EtherProtocol* EtherDemux::find(EtherKey key) const {
  const auto at = std::find_if(protocols_.begin(), protocols_.end(), [&](const auto& e) { return e.first == key; });
  return at == protocols_.end() ? nullptr : at->second;
}

}  // namespace vif::net
