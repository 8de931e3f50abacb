// SPDX-License-Identifier: BSD-2-Clause
// The switches of a node: interfaces named bridge0, bridge1, ..., made and taken away as others are, each a station of
// its own segment, and the interfaces that are their ports. On the domain's thread.
#pragma once

#include <vector>

#include "netstack/if_bridge.hpp"
#include "netstack/if_clone.hpp"

namespace vif::host {

class Bridges final : private net::IfCloner {
 public:
  static constexpr std::string_view kKind = "bridge";

  // The table outlives it, and makes bridges from now on.
  explicit Bridges(net::IfCloneTable& interfaces);
  ~Bridges() override;  // takes every bridge away
  Bridges(const Bridges&) = delete;
  Bridges& operator=(const Bridges&) = delete;

  // A bridge by its name or its own interface. Null: that is none.
  net::Bridge* find(const net::Ifnet& ifp) const;
  // The interface of the bridge that `port` is a port of; null: of none.
  net::Ifnet* master_of(const net::Ifnet& port) const;

  // EINVAL: `master` is no bridge. EBUSY: it is another's port. Otherwise Bridge::add's.
  Status join(net::Ifnet& port, const net::Ifnet& master);
  // ENOENT: it is no port.
  Status leave(net::Ifnet& port);

  // The ports of a bridge, its own interface first, then in the order they came.
  std::vector<net::Ifnet*> ports(const net::Ifnet& master) const;
  void forget(const net::Ifnet& ifp);  // it departs

 private:
  struct Switch;

  Result<std::unique_ptr<net::ClonedIf>> clone(net::Domain& domain, std::uint32_t unit) override;
  Switch* switch_of(const net::Ifnet& port) const;

  net::IfCloneTable& interfaces_;
  std::vector<Switch*> switches_;  // the table owns them
};

}  // namespace vif::host
