// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/bridge.hpp"

namespace vif::host {

Result<std::unique_ptr<BridgedLinks>> BridgedLinks::open(const BridgeRequest& request, net::Domain& domain,
                                                         net::IfCloneTable& interfaces) {
  std::unique_ptr<BridgedLinks> links(new BridgedLinks(domain, request.config, interfaces));
  for (const BridgeRequest::Link& link : request.links) {
    if (Status joined = links->join(link); !joined) {
      return Error{joined.error().code, link.linkstr + ": " + joined.error().text};
    }
  }
  return links;
}

BridgedLinks::~BridgedLinks() {
  for (const Joined& port : joined_) (void)interfaces_.destroy(port.name);  // which leaves the bridge
}

Status BridgedLinks::join(const BridgeRequest::Link& link) {
  const Result<net::Ifnet*> created = interfaces_.create("virt");
  if (!created) return created.error();
  net::Ifnet& ifp = **created;
  joined_.push_back({link.linkstr, ifp.name(), &ifp});
  if (Status linked = ifp.ioctl(net::SetLinkstr{link.linkstr}); !linked) return linked;
  if (Status member = bridge_.add(ifp, link.settings); !member) return member;
  for (const BridgeRequest::Station& station : link.stations) {
    if (Status added = bridge_.add_static(ifp, station.vlan, station.address); !added) return added;
  }
  return ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP});
}

std::vector<BridgedLinks::Port> BridgedLinks::ports() const {
  std::vector<Port> ports;
  for (const Joined& port : joined_) {
    const Result<net::BridgePortData> data = bridge_.data(*port.ifp);
    ports.push_back({port.linkstr, *port.ifp, data ? *data : net::BridgePortData{}});
  }
  return ports;
}

}  // namespace vif::host
