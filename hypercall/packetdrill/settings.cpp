// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/settings.hpp"

#include <string>

#include "hypercall/link_options.hpp"

namespace vif::host::packetdrill {
namespace {

constexpr std::uint64_t kMtuLeast = 1280, kMtuMost = 65'535;  // RFC 8200, 5: the least of IPv6

Status read_address(const drv::Linkstr& flags, std::string_view key, net::inet::IpPrefix& into) {
  const drv::Linkstr::Option* const option = flags.find(key);
  if (option == nullptr) return {};
  const auto found = net::inet::IpPrefix::parse(option->value.value_or(""));
  if (!found) return found.error();
  if (found->address.is_v4() != into.address.is_v4() || !found->address.is_unicast()) {
    return fail(std::errc::invalid_argument, std::string(key) + "=" + found->to_string() + ": expected a host's IPv" +
                                                 (into.address.is_v4() ? "4" : "6") + " address and its prefix length");
  }
  into = *found;
  return {};
}

}  // namespace

Result<Settings> Settings::parse(std::string_view text) {
  Settings settings;
  if (text.empty()) return settings;
  // The options of a link string, whose reader knows all that can be wrong with them.
  const auto flags = drv::Linkstr::parse("packetdrill:," + std::string(text));
  if (!flags) return flags.error();
  if (Status known = only_options(*flags, {"local4", "local6", "mtu", "seed"}); !known) return known.error();
  if (Status read = read_address(*flags, "local4", settings.local4); !read) return read.error();
  if (Status read = read_address(*flags, "local6", settings.local6); !read) return read.error();
  const auto mtu = number_option(*flags, "mtu", settings.mtu_bytes, {kMtuLeast, kMtuMost});
  if (!mtu) return mtu.error();
  settings.mtu_bytes = static_cast<std::uint32_t>(*mtu);
  const auto seed = number_option(*flags, "seed", settings.seed, {0, UINT64_MAX});
  if (!seed) return seed.error();
  settings.seed = *seed;
  return settings;
}

}  // namespace vif::host::packetdrill
