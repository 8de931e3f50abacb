// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/node.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vif::host {

Node::Node(net::IfCloneTable& interfaces, const drv::LinkOpener& links, const net::inet::InetConfig& config)
    : interfaces_(interfaces), links_(links), inet_(interfaces.domain(), config) {
  domain().listen(*this);
  inet_.listen(*this);
}

Node::~Node() {
  inet_.unlisten(*this);
  domain().unlisten(*this);
}

Result<net::Ifnet*> Node::find(std::string_view ifname) {
  if (net::Ifnet* ifp = interfaces_.find(ifname)) return ifp;
  std::string known;
  for (const net::Ifnet* ifp : domain().interfaces()) known += (known.empty() ? "" : ", ") + ifp->name();
  return fail(ENODEV, "there is no interface '" + std::string(ifname) +
                          (known.empty() ? "', nor any other yet: make one with `link add`" : "'; there are " + known));
}

Status Node::attach_inet(net::Ifnet& ifp) {
  if (const net::Ifnet* master = bridges_.master_of(ifp)) {
    return fail(EBUSY, ifp.name() + " is a port of " + master->name() + ", which can have addresses instead");
  }
  Status attached = inet_.attach(ifp);
  return !attached && attached.error().number() == EEXIST ? Status() : attached;
}

void Node::changed(const net::Ifnet& ifp) {
  if (listener_ != nullptr && !making_) listener_->link_changed(ifp);
}

void Node::tell(std::string_view kind, const nlohmann::ordered_json& what) {
  if (listener_ != nullptr) listener_->verb_changed(kind, what);
}

void Node::end_making(const net::Ifnet* made) {
  making_ = false;
  if (listener_ != nullptr && made != nullptr) listener_->link_arrived(*made);
}

void Node::if_arrived(net::Ifnet& ifp) {
  if (listener_ != nullptr && !making_) listener_->link_arrived(ifp);
}

void Node::if_departed(net::Ifnet& ifp) {
  asked_.erase(ifp.index());
  leases_.forget(ifp);
  const net::Ifnet* const master = bridges_.master_of(ifp);
  bridges_.forget(ifp);
  if (master != nullptr) fit_bridge(*master);
  if (listener_ != nullptr && !making_) listener_->link_departed(ifp);
}

void Node::if_link_changed(net::Ifnet& ifp) {
  fit_bridge(ifp);
  changed(ifp);
}

void Node::fit_bridge(const net::Ifnet& ifp) {
  net::Ifnet* const bridge = bridges_.find(ifp) != nullptr ? interfaces_.find(ifp.name()) : bridges_.master_of(ifp);
  if (bridge == nullptr || asked(*bridge).mtu) return;
  std::uint32_t mtu_bytes = bridge->mtu_bytes_max();
  const std::vector<net::Ifnet*> ports = bridges_.ports(*bridge);  // its own first
  for (const net::Ifnet* const port : ports) {
    if (port != bridge) mtu_bytes = std::min(mtu_bytes, port->mtu_bytes());
  }
  if (ports.size() < 2) mtu_bytes = net::Ifnet::kMtuDefault;
  if (mtu_bytes != bridge->mtu_bytes() && bridge->ioctl(net::SetMtu{mtu_bytes})) changed(*bridge);
}

void Node::address_changed(net::Ifnet& ifp, const net::inet::InterfaceAddress& address, net::inet::AddressEvent event) {
  if (listener_ != nullptr) listener_->address_changed(ifp, address, event);
}

}  // namespace vif::host
