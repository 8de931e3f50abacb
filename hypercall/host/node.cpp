// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/node.hpp"

#include <nlohmann/json.hpp>

namespace vif::host {

Node::Node(net::IfCloneTable& interfaces, const net::inet::InetConfig& config)
    : interfaces_(interfaces), inet_(interfaces.domain(), config) {
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
  bridges_.forget(ifp);
  if (listener_ != nullptr && !making_) listener_->link_departed(ifp);
}

void Node::address_changed(net::Ifnet& ifp, const net::inet::InterfaceAddress& address, net::inet::AddressEvent event) {
  if (listener_ != nullptr) listener_->address_changed(ifp, address, event);
}

}  // namespace vif::host
