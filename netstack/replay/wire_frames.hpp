// SPDX-License-Identifier: BSD-2-Clause
// A frame whose sender left work to somebody else, as it would be on a wire.
#pragma once

#include <vector>

#include "netstack/mbuf_pool.hpp"
#include "netstack/replay/scratch.hpp"

namespace vif::net {

// Appends to `wire` what `frame` stands for: itself with its checksum finished, in place, or its segments, which lie in
// `scratch`. False: its headers do not bear `offload` out, or the pool had no mbuf; nothing was appended. On the thread
// of the pool's domain.
VIF_API bool wire_frames(MutBytes frame, const Offload& offload, MbufPool& pool, Scratch& scratch,
                         std::vector<Bytes>& wire);

}  // namespace vif::net
