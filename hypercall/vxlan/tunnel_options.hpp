// SPDX-License-Identifier: BSD-2-Clause
// What a vxlan: link string asks for. Looks nothing up but names of interfaces in link-local addresses.
//
//   vxlan:REMOTE[+REMOTE]...,vni=N[,local=ADDRESS][,port=N]       vxlan:10.0.0.2+10.0.0.3,vni=7,local=10.0.0.1
#pragma once

#include "hypercall/vxlan/remotes.hpp"
#include "virtif/linkstr.hpp"

namespace vif::host {

struct TunnelOptions {
  std::uint32_t vni;
  UdpAddress local;
  Remotes remotes;

  // EINVAL: no or a wrong address, network or option; the text says which. ENODEV: as UdpAddress::parse().
  static Result<TunnelOptions> read(const drv::Linkstr& linkstr);
};

}  // namespace vif::host
