// SPDX-License-Identifier: BSD-2-Clause
// What happens on a node as numbered events, for `monitor`. On the domain's thread.
#pragma once

#include "hypercall/host/verbs/verb.hpp"

namespace vif::tools {

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Numbers begin at 1 and have no gaps.
  virtual void happened(std::uint64_t sequence, host::Json event) = 0;
};

// An event: {"seq", "time_ns", "kind", ...}, its time on the domain's time line. Kinds: link.new, link.change and
// link.del with "link" (as link.show; the last with ifindex and ifname only), addr.ready, addr.duplicate,
// addr.conflict, addr.deprecated and addr.del with "ifname" and "local". And what verbs change: route.new and route.del
// with "route", neigh.new and neigh.del with "dst" and "dev", maddr.new and maddr.del with "ifname" and "link". And
// worker.end, of a thread of virtifd's own (workers.hpp).
class Events final : private host::NodeListener {
 public:
  Events(host::Node& node, EventSink& sink);
  ~Events() override;
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  std::uint64_t last() const { return last_; }  // the number of the latest; 0: none yet

 private:
  void link_arrived(const net::Ifnet& ifp) override;
  void link_departed(const net::Ifnet& ifp) override;
  void link_changed(const net::Ifnet& ifp) override;
  void address_changed(const net::Ifnet& ifp, const net::inet::InterfaceAddress& address,
                       net::inet::AddressEvent event) override;
  void verb_changed(std::string_view kind, const host::Json& what) override { tell(kind, what); }
  void tell(std::string_view kind, const host::Json& what);

  host::Node& node_;
  EventSink& sink_;
  std::uint64_t last_ = 0;
};

}  // namespace vif::tools
