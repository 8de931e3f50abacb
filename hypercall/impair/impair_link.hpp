// SPDX-License-Identifier: BSD-2-Clause
// `impair:[LINKSTR],loss=1%,delay=10ms,...`: another link, made worse: frames are lost, doubled, damaged, held back,
// overtaken, slowed down. What it can do, its carrier and its going pass through. Repeatable: the same frames at the
// same times under the same seed come to the same. docs/links/impair.md has the options.
#pragma once

#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// What it stands on; outlives the link.
struct ImpairPorts {
  drv::LinkOpener& schemes;  // for the link string in brackets
  ClockPort& clock;          // the domain's
};

// EINVAL: no link string in brackets, an unknown option or a wrong value; else what opening the inner link answers.
Result<drv::OpenLink> open_impair_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner,
                                       const ImpairPorts& ports);

}  // namespace vif::host
