// SPDX-License-Identifier: BSD-2-Clause
// What is left in a ring when its writer is dead: the records that were whole when it died, and those it had not yet
// handed on. Believes nothing of the memory, which may be a file that anybody wrote. Any thread.
#pragma once

#include <cstdint>
#include <functional>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::trace {

struct DeadRing {
  std::int32_t thread_id;
  std::uint64_t records, lost;
};

// `memory`: of the ring, aligned to a page, longer if it likes; it is written to as a reader does. `put` takes its
// pages one by one, as RingReader gives them. Errors: EINVAL: it is no ring; put's.
VIF_API Result<DeadRing> take_dead_ring(MutBytes memory, const std::function<Status(Bytes page)>& put);

}  // namespace vif::trace
