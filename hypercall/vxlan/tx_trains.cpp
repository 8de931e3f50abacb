// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tx_trains.hpp"

#include "hypercall/vxlan/vxlan_header.hpp"

namespace vif::host {

bool TxTrains::push(const drv::TxFrame& frame, Remotes::Number remote, bool may_join) {
  const std::size_t bytes = kVxlanHeaderBytes + frame.bytes;
  const bool joining = may_join && joins(bytes, remote);
  if (bytes > kBytes - used_ || (!joining && count_ == kTrains)) return false;
  std::byte* const at = arena_.get() + used_;
  store_vxlan_header(at, vni_);
  std::size_t filled = kVxlanHeaderBytes;
  for (const Bytes slice : frame.slices) {
    std::memcpy(at + filled, slice.data(), slice.size());
    filled += slice.size();
  }
  assert(filled == bytes);
  used_ += bytes;
  if (!joining) {
    trains_[count_++] = {{at, bytes}, bytes, 1, remote};
    return true;
  }
  Train& train = trains_[count_ - 1];
  train.bytes = {train.bytes.data(), train.bytes.size() + bytes};
  ++train.segments;
  return true;
}

// Behind a segment that is shorter than the others nothing can follow.
bool TxTrains::joins(std::size_t bytes, Remotes::Number remote) const {
  if (count_ == 0) return false;
  const Train& train = trains_[count_ - 1];
  return train.remote == remote && train.segments < kSegments && bytes <= train.segment_bytes &&
         train.bytes.size() == train.segments * train.segment_bytes && train.bytes.size() + bytes <= kTrainBytes;
}

}  // namespace vif::host
