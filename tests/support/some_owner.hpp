// SPDX-License-Identifier: BSD-2-Clause
// Somebody to open a link for, in tests without a driver: virt0 with kOurMac, in a domain of the simulated host.
#pragma once

#include <string>

#include "hypercall/sim/sim_host.hpp"
#include "tests/support/frames.hpp"
#include "virtif/link.hpp"

namespace vif::test {

struct SomeOwner {
  std::string ifname = "virt0";
  net::MacAddress lladdr = kOurMac;
  host::sim::SimHost host{1};
  net::Domain& domain = host.add_domain({.pool = kSmallPool});

  operator drv::LinkOwner() const { return {ifname, lladdr, domain}; }
};

}  // namespace vif::test
