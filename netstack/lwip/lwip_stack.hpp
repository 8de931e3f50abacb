// SPDX-License-Identifier: BSD-2-Clause
// lwIP (Debian's liblwip) on our interfaces: TCP and UDP over IPv4 and IPv6, in one domain, on its thread.
//
// lwIP keeps its state in globals, so there is one stack a process; it runs in its raw mode, without threads, on the
// domain's clock and chance, and therefore also on a simulated host: two runs are the same, byte for byte, when each is
// a process of its own. Link libvirtif-lwip before liblwip, so that lwIP asks our sys_now(); create() checks that.
//
//   in:   Ifnet::input -> LwipNetif: checksum completed, mbuf lent to lwIP as a pbuf -> ethernet_input
//   out:  lwIP -> linkoutput: copied into an mbuf -> Ifnet::transmit
#pragma once

#include <cstdint>
#include <memory>

#include "netstack/ifnet.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net::lwip {

// What the adapter itself let go or refused; the rest is in the interfaces' counters. Any thread may read.
struct LwipData {
  std::uint64_t syn_refused = 0;  // beyond connections_max
  std::uint64_t own_source = 0;   // packets from the wire that say they are from us
  std::uint64_t copied = 0;       // frames copied in, as too many were lent already
};

class VIF_API LwipStack {
 public:
  struct Config {
    std::size_t connections_max = 1024;  // established and half-open; a SYN beyond is dropped
  };

  // EBUSY: the process has one. ENOTSUP: lwIP was linked so that it asks another clock; the text says what to do.
  static Result<std::unique_ptr<LwipStack>> create(Domain& domain, const Config& config);
  // No connection, listener or socket is left.
  ~LwipStack();
  LwipStack(const LwipStack&) = delete;
  LwipStack& operator=(const LwipStack&) = delete;

  // Takes the frames of `ifp` (it becomes its input), brings it up, gives it a link-local IPv6 address and listens to
  // router advertisements. It is detached when it departs. EEXIST: attached. EINVAL: of another domain. ENOBUFS: lwIP's
  // 255 are used. Otherwise what the driver says (ENXIO: no link).
  Status attach(Ifnet& ifp);
  // ENXIO, here and below: `ifp` is not attached.
  Status detach(Ifnet& ifp);

  // IPv4: the interface's one address, in place of an earlier. IPv6: one more. EINVAL: no host's address. ENOBUFS: IPv6
  // addresses are used up.
  Status add_address(Ifnet& ifp, const inet::IpPrefix& address);
  // The IPv4 router on the interface's network, which then is the default one. EINVAL: not IPv4.
  Status set_gateway(Ifnet& ifp, const inet::IpAddress& gateway);

  LwipData read() const;

  // --- for connections and sockets ---

  // After a call into lwIP: sets the callout for its next timer.
  void rearm();

 private:
  struct State;
  explicit LwipStack(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace vif::net::lwip
