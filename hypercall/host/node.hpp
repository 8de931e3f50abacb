// SPDX-License-Identifier: BSD-2-Clause
// What one virtifd operates, and an operator speaks of: the interfaces of a domain, the IP stack on them, and what the
// operator asked of each. The verbs (verbs/verb.hpp) act on it; nothing else does. On the domain's thread.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "hypercall/host/bridges.hpp"
#include "hypercall/host/leases.hpp"
#include "hypercall/host/pings.hpp"
#include "netstack/if_clone.hpp"
#include "netstack/inet/inet.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// What happens to interfaces and addresses, and what operators do to the rest, as it happens.
class NodeListener {
 public:
  virtual ~NodeListener() = default;
  virtual void link_arrived(const net::Ifnet& ifp) = 0;
  virtual void link_departed(const net::Ifnet& ifp) = 0;
  virtual void link_changed(const net::Ifnet& ifp) = 0;
  virtual void address_changed(const net::Ifnet& ifp, const net::inet::InterfaceAddress& address,
                               net::inet::AddressEvent event) = 0;
  // "route.new", "neigh.del" ..., with what the verb's show says of it.
  virtual void verb_changed(std::string_view kind, const nlohmann::ordered_json& what) = 0;
};

class Node final : private net::IfEventListener, private net::inet::InetListener {
 public:
  // All of an interface that an operator set, rather than the stack: it holds one reference of each mode and group.
  struct Asked {
    bool promisc = false, allmulti = false;
    bool mtu = false;
    std::vector<net::MacRange> groups;  // as often as each was joined
  };

  // The table and what opens its links outlive the node.
  Node(net::IfCloneTable& interfaces, const drv::LinkOpener& links, const net::inet::InetConfig& config);
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  net::Domain& domain() { return interfaces_.domain(); }
  net::IfCloneTable& interfaces() { return interfaces_; }
  const drv::LinkOpener& links() const { return links_; }  // to judge link strings
  net::inet::Inet& inet() { return inet_; }
  Pings& pings() { return pings_; }
  Leases& leases() { return leases_; }
  Bridges& bridges() { return bridges_; }
  Asked& asked(const net::Ifnet& ifp) { return asked_[ifp.index()]; }

  // ENODEV: there is none; the text names those there are.
  Result<net::Ifnet*> find(std::string_view ifname);
  // Puts the stack on an interface that does not have it yet. EBUSY: it is a bridge's port. Otherwise Inet::attach's.
  Status attach_inet(net::Ifnet& ifp);

  // A bridge whose MTU nobody set has the smallest of its ports', as Linux's. For whoever changed either's MTU, or
  // ports: `ifp` is the bridge or a port, or else nothing happens.
  void fit_bridge(const net::Ifnet& ifp);

  // One listener; null: none. It is told last and may not destroy interfaces.
  void listen(NodeListener* listener) { listener_ = listener; }
  // An operator changed something that no driver announces: flags, MTU, address.
  void changed(const net::Ifnet& ifp);
  void tell(std::string_view kind, const nlohmann::ordered_json& what);

  // Between the two the listener hears nothing of interfaces: what is made is told whole, or not at all.
  void begin_making() { making_ = true; }
  void end_making(const net::Ifnet* made);  // null: it could not be made, and is gone

 private:
  void if_arrived(net::Ifnet& ifp) override;
  void if_departed(net::Ifnet& ifp) override;
  void if_link_changed(net::Ifnet& ifp) override;
  void address_changed(net::Ifnet& ifp, const net::inet::InterfaceAddress& address,
                       net::inet::AddressEvent event) override;

  net::IfCloneTable& interfaces_;
  const drv::LinkOpener& links_;
  net::inet::Inet inet_;
  Pings pings_{domain(), inet_};
  Leases leases_{inet_};
  std::map<std::uint32_t, Asked> asked_;  // by interface index
  Bridges bridges_{interfaces_};          // goes first: what it takes away, the others hear
  NodeListener* listener_ = nullptr;
  bool making_ = false;
};

}  // namespace vif::host
