// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/bridges.hpp"

#include <algorithm>

namespace vif::host {

struct Bridges::Switch final : net::ClonedIf {
  Switch(Bridges& all_in, net::Domain& domain) : all(all_in), bridge(domain, {}) { all.switches_.push_back(this); }
  ~Switch() override { std::erase(all.switches_, this); }
  net::Ifnet& ifnet() override { return *own; }
  Status unclone() override { return own->ioctl(net::SetFlags{own->flags() & ~std::uint32_t{net::IFF_UP}}); }

  Bridges& all;
  net::Bridge bridge;
  net::Ifnet* own = nullptr;       // the bridge's
  std::vector<net::Ifnet*> ports;  // without its own
};

Bridges::Bridges(net::IfCloneTable& interfaces) : interfaces_(interfaces) {
  [[maybe_unused]] const Status attached = interfaces_.attach(kKind, *this);
  assert(attached);
}

Bridges::~Bridges() {
  while (!switches_.empty() && interfaces_.destroy(switches_.back()->own->name())) continue;
  (void)interfaces_.detach(kKind);
}

Result<std::unique_ptr<net::ClonedIf>> Bridges::clone(net::Domain& domain, std::uint32_t unit) {
  auto made = std::make_unique<Switch>(*this, domain);
  const Result<net::Ifnet*> own = made->bridge.add_own(unit);
  if (!own) return own.error();
  made->own = *own;
  return std::unique_ptr<net::ClonedIf>(std::move(made));
}

net::Bridge* Bridges::find(const net::Ifnet& ifp) const {
  const auto at = std::ranges::find(switches_, &ifp, &Switch::own);
  return at == switches_.end() ? nullptr : &(*at)->bridge;
}

Bridges::Switch* Bridges::switch_of(const net::Ifnet& port) const {
  const auto has = [&](const Switch* one) { return std::ranges::find(one->ports, &port) != one->ports.end(); };
  const auto at = std::ranges::find_if(switches_, has);
  return at == switches_.end() ? nullptr : *at;
}

net::Ifnet* Bridges::master_of(const net::Ifnet& port) const {
  const Switch* const one = switch_of(port);
  return one == nullptr ? nullptr : one->own;
}

Status Bridges::join(net::Ifnet& port, const net::Ifnet& master) {
  const auto to = std::ranges::find(switches_, &master, &Switch::own);
  if (to == switches_.end()) {
    return fail(EINVAL, master.name() + " is no bridge: make one with `link add bridge0`");
  }
  const Switch* const now = switch_of(port);
  if (now == *to) return {};
  if (now != nullptr) return fail(EBUSY, port.name() + " is a port of " + now->own->name() + ": `nomaster` first");
  if (Status joined = (*to)->bridge.add(port); !joined) return joined;
  (*to)->ports.push_back(&port);
  return {};
}

Status Bridges::leave(net::Ifnet& port) {
  Switch* const one = switch_of(port);
  if (one == nullptr) return fail(ENOENT, port.name() + " is no bridge's port");
  std::erase(one->ports, &port);
  return one->bridge.remove(port);
}

std::vector<net::Ifnet*> Bridges::ports(const net::Ifnet& master) const {
  const auto at = std::ranges::find(switches_, &master, &Switch::own);
  if (at == switches_.end()) return {};
  std::vector<net::Ifnet*> all = {(*at)->own};
  all.insert(all.end(), (*at)->ports.begin(), (*at)->ports.end());
  return all;
}

// The bridge lets it go by itself.
void Bridges::forget(const net::Ifnet& ifp) {
  if (Switch* const one = switch_of(ifp)) std::erase(one->ports, &ifp);
}

}  // namespace vif::host
