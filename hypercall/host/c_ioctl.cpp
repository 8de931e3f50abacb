// SPDX-License-Identifier: BSD-2-Clause
// virtif_ioctl: BSD's commands and structs, taken apart into IfRequest values.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "hypercall/host/c_api.hpp"

namespace vif::host {
namespace {

using net::IfRequest;

// ifr_group in any of its families. EAFNOSUPPORT: another one.
Result<net::MacRange> group_of(const virtif_ifreq& request) {
  const std::uint8_t* const from = request.u.group.address;
  switch (request.u.group.family) {
    case AF_UNSPEC: {
      net::MacAddress mac;
      std::copy_n(from, net::kMacBytes, mac.octets.begin());
      return net::MacRange::single(mac);
    }
    case AF_INET: {
      std::array<std::uint8_t, 4> address;
      std::copy_n(from, address.size(), address.begin());
      return net::ipv4_group(address);
    }
    case AF_INET6: {
      std::array<std::uint8_t, 16> address;
      std::copy_n(from, address.size(), address.begin());
      return net::ipv6_group(address);
    }
    default:
      return fail(EAFNOSUPPORT, "a group is AF_UNSPEC (a MAC address), AF_INET or AF_INET6");
  }
}

// The request of a command that sets something.
Result<IfRequest> set_request(unsigned long command, const virtif_ifreq& in) {
  switch (command) {
    case VIRTIF_SIOCSIFFLAGS:
      return IfRequest(net::SetFlags{in.u.flags});
    case VIRTIF_SIOCSIFMTU:
      return IfRequest(net::SetMtu{in.u.mtu});
    case VIRTIF_SIOCSIFPROMISC:
      return IfRequest(net::SetPromisc{in.u.on != 0});
    case VIRTIF_SIOCSIFALLMULTI:
      return IfRequest(net::SetAllmulti{in.u.on != 0});
    case VIRTIF_SIOCSIFLLADDR: {
      net::MacAddress mac;
      std::copy_n(in.u.lladdr, net::kMacBytes, mac.octets.begin());
      return IfRequest(net::SetLladdr{mac});
    }
    default: {  // VIRTIF_SIOCADDMULTI, VIRTIF_SIOCDELMULTI
      const Result<net::MacRange> group = group_of(in);
      if (!group) return group.error();
      if (command == VIRTIF_SIOCADDMULTI) return IfRequest(net::AddMulti{*group});
      return IfRequest(net::DelMulti{*group});
    }
  }
}

// Answers a command that gets something; false: it is none of those.
bool get(const net::Ifnet& ifp, unsigned long command, virtif_ifreq& out) {
  switch (command) {
    case VIRTIF_SIOCGIFFLAGS:
      return out.u.flags = ifp.flags(), true;
    case VIRTIF_SIOCGIFMTU:
      return out.u.mtu = ifp.mtu_bytes(), true;
    case VIRTIF_SIOCGIFINDEX:
      return out.u.index = ifp.index(), true;
    case VIRTIF_SIOCGIFLINK:
      return out.u.link_state = static_cast<std::uint32_t>(ifp.link_state()), true;
    case VIRTIF_SIOCGIFLLADDR:
      return std::copy_n(ifp.lladdr().octets.begin(), net::kMacBytes, out.u.lladdr), true;
    default:
      return false;
  }
}

Status ifreq_ioctl(net::Ifnet& ifp, unsigned long command, virtif_ifreq& request) {
  if (request.size != sizeof request) return fail(EINVAL, "virtif_ifreq: expected size = sizeof");
  if (get(ifp, command, request)) return {};
  const Result<IfRequest> set = set_request(command, request);
  if (!set) return set.error();
  return ifp.ioctl(*set);
}

Status data_ioctl(net::Ifnet& ifp, unsigned long command, virtif_ifdatareq& out) {
  using enum DropReason;
  if (out.size != sizeof out) return fail(EINVAL, "virtif_ifdatareq: expected size = sizeof");
  const net::IfData data = command == VIRTIF_SIOCZIFDATA ? ifp.counters.take(ifp.domain().now()) : ifp.counters.read();
  out = {.size = sizeof out,
         .ipackets = data.ipackets,
         .ibytes = data.ibytes,
         .imcasts = data.imcasts,
         .opackets = data.opackets,
         .obytes = data.obytes,
         .omcasts = data.omcasts,
         .ierrors = data.ierrors,
         .oerrors = data.oerrors,
         .iqdrops = data.iqdrops,
         .oqdrops = data.oqdrops,
         .noproto = data.noproto,
         .collisions = data.collisions,
         .baudrate = ifp.baudrate(),
         .link_state = static_cast<std::uint32_t>(ifp.link_state()),
         .mtu = ifp.mtu_bytes(),
         .drop_other_linktype = data.dropped(other_linktype),
         .drop_other_network = data.dropped(other_network),
         .drop_unknown_peer = data.dropped(unknown_peer),
         .drop_rx_overrun = data.dropped(rx_overrun),
         .drop_rx_impaired = data.dropped(rx_impaired),
         .drop_rx_malformed = data.dropped(rx_malformed),
         .drop_not_running = data.dropped(not_running),
         .drop_too_short = data.dropped(too_short),
         .drop_too_long = data.dropped(too_long),
         .drop_own_echo = data.dropped(own_echo),
         .drop_not_for_us = data.dropped(not_for_us),
         .drop_no_mbuf = data.dropped(no_mbuf),
         .drop_queue_full = data.dropped(queue_full),
         .drop_tx_too_short = data.dropped(tx_too_short),
         .drop_tx_too_long = data.dropped(tx_too_long),
         .drop_tx_offload = data.dropped(tx_offload),
         .drop_tx_no_mbuf = data.dropped(tx_no_mbuf),
         .drop_tx_down = data.dropped(tx_down),
         .drop_tx_impaired = data.dropped(tx_impaired),
         .drop_tx_error = data.dropped(tx_error),
         .linearised = data.linearised};
  return {};
}

Status get_linkstr(virtif_if& interface, virtif_ifdrv& request) {
  const std::string& name = interface.ifp.name();
  const auto* driver = dynamic_cast<drv::Virtif*>(interface.instance.interfaces->find_clone(name));
  const auto linkstr = driver == nullptr ? std::nullopt : driver->linkstr();
  if (!linkstr) return fail(ENOENT, name + " is not linked");
  const std::size_t offered = request.ifd_len;
  if (request.ifd_cmd != 0 && request.ifd_cmd != VIRTIF_IFLINKSTR_QUERYLEN) {
    return fail(ENOTTY, "SIOCGLINKSTR: expected ifd_cmd 0 or IFLINKSTR_QUERYLEN");
  }
  request.ifd_len = linkstr->size() + 1;
  if (request.ifd_cmd == VIRTIF_IFLINKSTR_QUERYLEN) return {};
  if (request.ifd_data == nullptr) return fail(EFAULT, "SIOCGLINKSTR: no room at ifd_data");
  if (offered < request.ifd_len) {
    return fail(ENAMETOOLONG, "SIOCGLINKSTR: the link string takes " + std::to_string(request.ifd_len) + " bytes");
  }
  std::memcpy(request.ifd_data, linkstr->data(), linkstr->size());
  static_cast<char*>(request.ifd_data)[linkstr->size()] = '\0';
  return {};
}

Status set_linkstr(net::Ifnet& ifp, const virtif_ifdrv& request) {
  if (request.ifd_cmd == VIRTIF_IFLINKSTR_UNSET) return ifp.ioctl(net::UnsetLinkstr{});
  if (request.ifd_cmd != 0) return fail(ENOTTY, "SIOCSLINKSTR: expected ifd_cmd 0 or IFLINKSTR_UNSET");
  if (request.ifd_len > drv::Linkstr::kBytesMax + 1) {
    return fail(E2BIG,
                "SIOCSLINKSTR: a link string has at most " + std::to_string(drv::Linkstr::kBytesMax) + " characters");
  }
  if (request.ifd_len < 1) return fail(EINVAL, "SIOCSLINKSTR: an empty link string; IFLINKSTR_UNSET unlinks");
  if (request.ifd_data == nullptr) return fail(EFAULT, "SIOCSLINKSTR: nothing at ifd_data");
  // Up to the 0, which the length may or may not include, as copyinstr would.
  const auto* const text = static_cast<const char*>(request.ifd_data);
  return ifp.ioctl(net::SetLinkstr{{text, ::strnlen(text, request.ifd_len)}});
}

Status linkstr_ioctl(virtif_if& interface, unsigned long command, virtif_ifdrv& request) {
  if (request.size != sizeof request) return fail(EINVAL, "virtif_ifdrv: expected size = sizeof");
  return command == VIRTIF_SIOCGLINKSTR ? get_linkstr(interface, request) : set_linkstr(interface.ifp, request);
}

Status dispatch(virtif_if& interface, unsigned long command, void* data) {
  if (command < VIRTIF_SIOCGIFFLAGS || command > VIRTIF_SIOCSLINKSTR) {
    return fail(ENOTTY, "no such ioctl: expected one of enum virtif_command");
  }
  if (command == VIRTIF_SIOCINITIFADDR) return interface.ifp.ioctl(net::InitAddress{});
  if (data == nullptr) return fail(EFAULT, "virtif_ioctl needs the command's struct");
  switch (command) {
    case VIRTIF_SIOCGIFDATA:
    case VIRTIF_SIOCZIFDATA:
      return data_ioctl(interface.ifp, command, *static_cast<virtif_ifdatareq*>(data));
    case VIRTIF_SIOCGLINKSTR:
    case VIRTIF_SIOCSLINKSTR:
      return linkstr_ioctl(interface, command, *static_cast<virtif_ifdrv*>(data));
    default:
      return ifreq_ioctl(interface.ifp, command, *static_cast<virtif_ifreq*>(data));
  }
}

}  // namespace
}  // namespace vif::host

extern "C" int virtif_ioctl(virtif_if* interface, unsigned long command, void* data, virtif_error* error) {
  using namespace vif::host;
  return on_domain(interface->instance, error, [&] { return report(error, dispatch(*interface, command, data)); });
}
