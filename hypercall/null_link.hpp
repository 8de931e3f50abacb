// SPDX-License-Identifier: BSD-2-Clause
// `null:[,rx=COUNT][,bytes=64]`: takes every frame sent and forgets it; makes COUNT frames addressed to the interface,
// of `bytes` each, as fast as it is drained. For measuring what the driver itself costs.
#pragma once

#include "virtif/link.hpp"

namespace vif::host {

struct NullOptions {
  std::uint64_t rx_frames;
  std::size_t frame_bytes;

  // EINVAL: as open_null_link.
  static Result<NullOptions> parse(const drv::Linkstr& linkstr);
};

// EINVAL: an argument, an unknown option or a number out of range.
VIF_API Result<drv::OpenLink> open_null_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner);

}  // namespace vif::host
