// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/instance.hpp"

#include "hypercall/impair/impair_link.hpp"
#include "hypercall/null_link.hpp"
#include "hypercall/pcap_link.hpp"
#include "hypercall/pcapdev/pcapdev_link.hpp"
#include "hypercall/shm/shm_link.hpp"
#include "hypercall/stream/stream_link.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "hypercall/uring/uring_link.hpp"
#include "hypercall/vxlan/vxlan_link.hpp"

namespace vif::host {
namespace {

// Names that cannot collide: they are given once, to a fresh table.
void must(const Status& status) { assert(status && "built-in names are taken only once"), (void)status; }

}  // namespace

Instance::Instance(const HostPorts& ports) : segments_(ports.clock) {
  using drv::LinkOwner;
  using drv::Linkstr;
  must(schemes_.add("impair", [this, ports](const Linkstr& l, const LinkOwner& owner) {
    return open_impair_link(l, owner, {schemes_, ports.clock});
  }));
  must(schemes_.add("mem", [this](const Linkstr& l, const LinkOwner& owner) { return segments_.open(l, owner); }));
  must(schemes_.add("null", open_null_link));
  must(schemes_.add("pcap", [ports](const Linkstr& l, const LinkOwner& owner) {
    return open_pcap_link(l, owner, ports.files, ports.clock);
  }));
  // Those whose links wait for descriptors of this host.
  const auto add_waiting = [this, ports](const char* scheme, auto open) {
    must(schemes_.add(scheme, [this, ports, open](const Linkstr& l, const LinkOwner& owner) -> Result<drv::OpenLink> {
      const Result<FdWatch*> watch = watch_of(owner);
      if (!watch) return watch.error();
      return open(l, owner, **watch, ports.clock);
    }));
  };
  add_waiting("shm", open_shm_link);
  add_waiting("stream", open_stream_link);
  add_waiting("tap", open_tap_link);
  add_waiting("vxlan", open_vxlan_link);
  // By no clock of ours: the host stamps what they receive.
  add_waiting("pcapdev", [](const Linkstr& l, const LinkOwner& owner, FdWatch& watch, ClockPort&) {
    return open_pcapdev_link(l, owner, watch);
  });
  add_waiting("uring", [](const Linkstr& l, const LinkOwner& owner, FdWatch& watch, ClockPort&) {
    return open_uring_link(l, owner, watch);
  });
}

Instance::~Instance() = default;

Result<FdWatch*> Instance::watch_of(const drv::LinkOwner& owner) {
  const std::lock_guard lock(attached_mutex_);
  for (const auto& attached : attached_) {
    if (&attached->domain == &owner.domain && attached->watch != nullptr) return attached->watch;
  }
  return fail(ENOTSUP, "this link waits for the host, and the domain of " + owner.ifname +
                           " has no loop there: attach the Instance to a Loop, not to a bare Domain");
}

net::IfCloneTable& Instance::attach(net::Domain& domain) { return attach(domain, nullptr); }
net::IfCloneTable& Instance::attach(Loop& loop) { return attach(loop.domain(), &loop.watch()); }

net::IfCloneTable& Instance::attach(net::Domain& domain, FdWatch* watch) {
  auto made = std::make_unique<Attached>(domain, watch);
  Attached& attached = *made;
  auto driver = drv::VirtifModule::init(attached.interfaces, schemes_, "virt");
  assert(driver && "a fresh table has no cloner");
  attached.driver = std::move(*driver);
  const std::lock_guard lock(attached_mutex_);
  attached_.push_back(std::move(made));
  return attached.interfaces;
}

}  // namespace vif::host
