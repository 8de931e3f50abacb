// SPDX-License-Identifier: BSD-2-Clause
// The verb `show`: opens a link and says what it would be, without anything brought up.
#pragma once

#include <string>

#include "hypercall/host/instance.hpp"

namespace vif::host {

struct ShownLink {
  drv::LinkCaps caps;
  std::string chosen;           // what it found on this host and uses, in words
  std::uint32_t mtu_bytes = 0;  // of an interface on it
};

// Links a new virt interface of `interfaces`, looks, and destroys it. Errors: why the link cannot be opened; EINVAL
// where the link string is wrong.
VIF_API Result<ShownLink> show(const std::string& linkstr, net::IfCloneTable& interfaces);

}  // namespace vif::host
