// SPDX-License-Identifier: BSD-2-Clause
// The verb `bridge`: new interfaces, one a link, up and joined by a switch for as long as the object lives. On their
// domain's thread.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/instance.hpp"
#include "netstack/if_bridge.hpp"

namespace vif::host {

class VIF_API BridgedLinks {
 public:
  struct Port {
    const std::string& linkstr;
    const net::Ifnet& ifp;
    net::BridgePortData bridged;
  };

  // `interfaces` are `domain`'s and outlive it. Errors: the first link that could not be opened or brought up, which
  // the text names; nothing is left.
  static Result<std::unique_ptr<BridgedLinks>> open(const std::vector<std::string>& linkstrs, net::Domain& domain,
                                                    net::IfCloneTable& interfaces);
  ~BridgedLinks();

  std::vector<Port> ports() const;

 private:
  struct Joined {
    std::string linkstr;
    std::string name;
    net::Ifnet* ifp;
  };

  BridgedLinks(net::Domain& domain, net::IfCloneTable& interfaces) : interfaces_(interfaces), bridge_(domain, {}) {}
  Status join(const std::string& linkstr);

  net::IfCloneTable& interfaces_;
  net::Bridge bridge_;
  std::vector<Joined> joined_;
};

}  // namespace vif::host
