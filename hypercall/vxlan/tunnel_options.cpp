// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tunnel_options.hpp"

#include "hypercall/link_options.hpp"
#include "hypercall/vxlan/vxlan_header.hpp"

namespace vif::host {
namespace {

Error refuse(const std::string& why) { return fail(std::errc::invalid_argument, "vxlan: " + why); }

Status check_remote(const UdpAddress& remote, const std::vector<UdpAddress>& before) {
  const std::string name = remote.to_string();
  if (remote.is_group() || remote.is_any()) return refuse(name + " is not one host: name each remote, joined by '+'");
  for (const UdpAddress& other : before) {
    if (other.family() != remote.family()) {
      return refuse(name + " and " + other.to_string() + " are of two families: a tunnel has one, IPv4 or IPv6");
    }
    if (other == remote) return refuse(name + " is named twice");
  }
  return {};
}

Result<std::vector<UdpAddress>> read_remotes(std::string_view text, std::uint16_t port) {
  std::vector<UdpAddress> remotes;
  for (bool last = false; !last;) {
    const std::size_t plus = text.find('+');
    last = plus == std::string_view::npos;
    Result<UdpAddress> remote = UdpAddress::parse(text.substr(0, plus), port);
    if (!remote) return fail(remote.error().number(), "vxlan: " + remote.error().text);
    if (Status ok = check_remote(*remote, remotes); !ok) return std::move(ok).error();
    remotes.push_back(*remote);
    if (!last) text.remove_prefix(plus + 1);
  }
  return remotes;
}

Result<UdpAddress> read_local(const drv::Linkstr& linkstr, const UdpAddress& remote, std::uint16_t port) {
  const drv::Linkstr::Option* const option = linkstr.find("local");
  if (option == nullptr) return UdpAddress::any(remote.family(), port);
  Result<UdpAddress> local = UdpAddress::parse(option->value.value_or(""), port);
  if (!local) return fail(local.error().number(), "vxlan: local: " + local.error().text);
  if (local->family() != remote.family()) {
    return refuse("local=" + local->to_string() + " and the remote " + remote.to_string() +
                  " are of two families: a tunnel has one, IPv4 or IPv6");
  }
  if (local->is_group()) return refuse("local=" + local->to_string() + " is not one host");
  return local;
}

}  // namespace

Result<TunnelOptions> TunnelOptions::read(const drv::Linkstr& linkstr) {
  if (Status ok = needs_argument(linkstr, "the remote's address"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {"vni", "local", "port"}); !ok) return std::move(ok).error();
  if (linkstr.find("vni") == nullptr) {
    return refuse("needs vni=, the network's number from 0 to " + std::to_string(kVniMax));
  }
  const auto vni = number_option(linkstr, "vni", 0, {0, kVniMax});
  if (!vni) return vni.error();
  const auto port = number_option(linkstr, "port", kVxlanPort, {1, 65'535});
  if (!port) return port.error();
  const auto udp_port = static_cast<std::uint16_t>(*port);
  Result<std::vector<UdpAddress>> remotes = read_remotes(linkstr.argument, udp_port);
  if (!remotes) return std::move(remotes).error();
  const Result<UdpAddress> local = read_local(linkstr, remotes->front(), udp_port);
  if (!local) return local.error();
  return TunnelOptions{static_cast<std::uint32_t>(*vni), *local, Remotes(std::move(*remotes))};
}

}  // namespace vif::host
