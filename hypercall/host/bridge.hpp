// SPDX-License-Identifier: BSD-2-Clause
// The verb `bridge`: new interfaces, one a link, up and joined by a switch for as long as the object lives. On their
// domain's thread.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/instance.hpp"
#include "netstack/if_bridge.hpp"

namespace vif::host {

struct BridgeRequest {
  struct Station {
    net::MacAddress address;
    std::uint16_t vlan;
  };
  struct Link {
    std::string linkstr;
    net::BridgePortSettings settings;
    std::vector<Station> stations;  // static ones
  };

  std::vector<Link> links;
  net::Bridge::Config config;
};

class VIF_API BridgedLinks {
 public:
  struct Port {
    const std::string& linkstr;
    const net::Ifnet& ifp;
    net::BridgePortData bridged;
  };

  // `interfaces` are `domain`'s and outlive it. Errors: the first link that could not be opened, joined or brought up,
  // which the text names; nothing is left.
  static Result<std::unique_ptr<BridgedLinks>> open(const BridgeRequest& request, net::Domain& domain,
                                                    net::IfCloneTable& interfaces);
  ~BridgedLinks();

  std::vector<Port> ports() const;
  std::vector<net::BridgeStation> stations() const { return bridge_.stations(); }

 private:
  struct Joined {
    std::string linkstr;
    std::string name;
    net::Ifnet* ifp;
  };

  BridgedLinks(net::Domain& domain, const net::Bridge::Config& config, net::IfCloneTable& interfaces)
      : interfaces_(interfaces), bridge_(domain, config) {}
  Status join(const BridgeRequest::Link& link);

  net::IfCloneTable& interfaces_;
  net::Bridge bridge_;
  std::vector<Joined> joined_;
};

}  // namespace vif::host
