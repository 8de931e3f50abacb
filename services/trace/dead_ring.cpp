// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/dead_ring.hpp"

#include "services/trace/ring_reader.hpp"

namespace vif::trace {

Result<DeadRing> take_dead_ring(MutBytes memory, const std::function<Status(Bytes page)>& put) {
  Result<RingReader> reader = RingReader::open(memory);
  if (!reader) return std::move(reader).error();
  for (RingReader::Page page; reader->next(page, Take::everything);) {
    if (Status done = put(page); !done) return std::move(done).error();
  }
  return DeadRing{reader->thread_id(), reader->taken(), reader->lost()};
}

}  // namespace vif::trace
