// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/instance.hpp"

#include "hypercall/impair/impair_link.hpp"
#include "hypercall/impair/impair_settings.hpp"
#include "hypercall/null_link.hpp"
#include "hypercall/pcap_link.hpp"
#include "hypercall/pcapdev/pcapdev_link.hpp"
#include "hypercall/shm/shm_link.hpp"
#include "hypercall/stream/stream_link.hpp"
#include "hypercall/stream/stream_options.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "hypercall/uring/uring_link.hpp"
#include "hypercall/vxlan/tunnel_options.hpp"
#include "hypercall/vxlan/vxlan_link.hpp"

namespace vif::host {
namespace {

// Names that cannot collide: they are given once, to a fresh table.
void must(const Status& status) { assert(status && "built-in names are taken only once"), (void)status; }

// What reads a link string, asked only whether it can.
template <class Read>
SchemeTable::Check by_reading(Read read) {
  return [read](const drv::Linkstr& linkstr) {
    const auto parsed = read(linkstr);
    return parsed ? Status() : Status(parsed.error());
  };
}

// Both what it does and, where there is one, the wire it does it to.
Status check_impair(const SchemeTable& schemes, const drv::Linkstr& linkstr) {
  if (const auto request = parse_impair(linkstr); !request) return request.error();
  if (!linkstr.argument_nested) return {};  // opening says what is missing, and cannot cost anything
  const Result<drv::Linkstr> inner = drv::Linkstr::parse(linkstr.argument);
  return inner ? schemes.check(*inner) : Status(inner.error());
}

}  // namespace

Instance::Instance(const HostPorts& ports) : segments_(ports.clock) {
  using drv::LinkOwner;
  using drv::Linkstr;
  const auto impair = [this, ports](const Linkstr& l, const LinkOwner& owner) {
    return open_impair_link(l, owner, {schemes_, ports.clock});
  };
  must(schemes_.add("impair", impair, [this](const Linkstr& l) { return check_impair(schemes_, l); }));
  const auto mem = [this](const Linkstr& l, const LinkOwner& owner) { return segments_.open(l, owner); };
  must(schemes_.add("mem", mem, MemSegments::check));
  must(schemes_.add("null", open_null_link, by_reading(NullOptions::parse)));
  const auto pcap = [ports](const Linkstr& l, const LinkOwner& owner) {
    return open_pcap_link(l, owner, ports.files, ports.clock);
  };
  must(schemes_.add("pcap", pcap, check_pcap_linkstr));
  // Those whose links wait for descriptors of this host.
  const auto add_waiting = [this, ports](const char* scheme, auto open, SchemeTable::Check check = {}) {
    const auto waiting = [this, ports, open](const Linkstr& l, const LinkOwner& owner) -> Result<drv::OpenLink> {
      const Result<FdWatch*> watch = watch_of(owner);
      if (!watch) return watch.error();
      return open(l, owner, **watch, ports.clock);
    };
    must(schemes_.add(scheme, waiting, std::move(check)));
  };
  add_waiting("shm", open_shm_link, by_reading(shm_segment_name));
  add_waiting("stream", open_stream_link, by_reading(StreamOptions::parse));
  add_waiting("tap", open_tap_link, by_reading(tap_wanted));
  add_waiting("vxlan", open_vxlan_link, by_reading(TunnelOptions::read));
  // By no clock of ours: the host stamps what they receive.
  add_waiting("pcapdev", [](const Linkstr& l, const LinkOwner& owner, FdWatch& watch, ClockPort&) {
    return open_pcapdev_link(l, owner, watch);
  });
  add_waiting(
      "uring",
      [](const Linkstr& l, const LinkOwner& owner, FdWatch& watch, ClockPort&) {
        return open_uring_link(l, owner, watch);
      },
      check_uring_linkstr);
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
