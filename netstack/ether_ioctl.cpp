// SPDX-License-Identifier: BSD-2-Clause
// Attach, detach and the requests that every Ethernet driver answers alike.
#include <variant>

#include "netstack/ether.hpp"

namespace vif::net {
namespace {

// Follows IFF_UP with IFF_RUNNING, or, when both stand, tells the driver to look at its flags again.
Result<Reprogram> follow_up_flag(Ifnet& ifp) {
  if (ifp.is(IFF_RUNNING) && !ifp.is(IFF_UP)) {
    ifp.driver().if_stop();
    return Reprogram::no;
  }
  if (ifp.is(IFF_UP) && !ifp.is(IFF_RUNNING)) {
    if (Status up = ifp.driver().if_init(); !up) return std::move(up).error();
    return Reprogram::no;
  }
  return ifp.is(IFF_RUNNING) ? Reprogram::yes : Reprogram::no;
}

std::string hex(std::uint32_t number) {
  std::string text;
  for (; number != 0; number >>= 4) text.insert(text.begin(), "0123456789abcdef"[number & 15]);
  return "0x" + text;
}

struct EtherIoctl {
  Ifnet& ifp;

  Result<Reprogram> operator()(const SetFlags& request) const {
    const std::uint32_t before = ifp.flags();
    if (const std::uint32_t wrong = (request.flags ^ before) & ~kUserFlags; wrong != 0) {
      return fail(
          std::errc::invalid_argument,
          ifp.name() + ": flag bits " + hex(wrong) +
              " follow from the interface's state: read the flags, change those of a user, set them; promiscuous "
              "and all-multicast mode have requests of their own");
    }
    if (request.flags == before) return Reprogram::no;
    ifp.set_user_flags(request.flags);
    Result<Reprogram> done = follow_up_flag(ifp);
    if (done) ifp.counters.changed(ifp.domain().now());
    else ifp.set_user_flags(before);  // an interface that would not start is not UP
    return done;
  }

  Result<Reprogram> operator()(const SetMtu& request) const {
    if (request.mtu_bytes < Ifnet::kMtuMin || request.mtu_bytes > ifp.mtu_bytes_max()) {
      return fail(std::errc::invalid_argument, ifp.name() + ": MTU " + std::to_string(request.mtu_bytes) +
                                                   " is not within " + std::to_string(Ifnet::kMtuMin) + " to " +
                                                   std::to_string(ifp.mtu_bytes_max()));
    }
    ifp.set_mtu(request.mtu_bytes);
    return Reprogram::no;
  }

  Result<Reprogram> operator()(const SetLladdr& request) const {
    if (request.address.is_group()) {
      return fail(std::errc::invalid_argument,
                  ifp.name() + ": " + request.address.to_string() +
                      " cannot be an interface's address: expected a unicast address (lowest bit of the first octet "
                      "clear)");
    }
    ifp.set_lladdr(request.address);
    return Reprogram::yes;
  }

  Result<Reprogram> operator()(const AddMulti& request) const { return joined(ifp.groups().add(request.range)); }
  Result<Reprogram> operator()(const DelMulti& request) const { return joined(ifp.groups().remove(request.range)); }
  Result<Reprogram> operator()(const SetPromisc& request) const { return ifp.count_promisc(request.on); }
  Result<Reprogram> operator()(const SetAllmulti& request) const { return ifp.count_allmulti(request.on); }

  Result<Reprogram> operator()(const InitAddress&) const { return (*this)(SetFlags{ifp.flags() | IFF_UP}); }

  Result<Reprogram> operator()(const SetLinkstr&) const { return not_ethernet(); }
  Result<Reprogram> operator()(const UnsetLinkstr&) const { return not_ethernet(); }

  Result<Reprogram> joined(Result<Reprogram> changed) const {
    ifp.update_allmulti();
    return changed;
  }
  Error not_ethernet() const {
    return fail(std::errc::inappropriate_io_control_operation, ifp.name() + " has no link string");
  }
};

}  // namespace

void ether_ifattach(Ifnet& ifp, const MacAddress& lladdr) {
  ifp.set_lladdr(lladdr);
  ifp.set_mtu(Ifnet::kMtuDefault);
}

void ether_ifdetach(Ifnet& ifp) {
  ifp.groups() = {};
  ifp.update_allmulti();
}

Result<Reprogram> ether_ioctl(Ifnet& ifp, const IfRequest& request) { return std::visit(EtherIoctl{ifp}, request); }

}  // namespace vif::net
