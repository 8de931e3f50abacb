// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/instance.hpp"

#include "hypercall/null_link.hpp"
#include "hypercall/pcap_link.hpp"

namespace vif::host {
namespace {

// Names that cannot collide: they are given once, to a fresh table.
void must(const Status& status) { assert(status && "built-in names are taken only once"), (void)status; }

}  // namespace

Instance::Instance(const HostPorts& ports) : segments_(ports.clock) {
  using drv::LinkOwner;
  using drv::Linkstr;
  must(schemes_.add("mem", [this](const Linkstr& l, const LinkOwner& owner) { return segments_.open(l, owner); }));
  must(schemes_.add("null", open_null_link));
  must(schemes_.add("pcap", [ports](const Linkstr& l, const LinkOwner& owner) {
    return open_pcap_link(l, owner, ports.files, ports.clock);
  }));
}

Instance::~Instance() = default;

net::IfCloneTable& Instance::attach(net::Domain& domain) {
  attached_.push_back(std::make_unique<Attached>(domain));
  Attached& attached = *attached_.back();
  auto driver = drv::VirtifModule::init(attached.interfaces, schemes_, "virt");
  assert(driver && "a fresh table has no cloner");
  attached.driver = std::move(*driver);
  return attached.interfaces;
}

}  // namespace vif::host
