// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/rx_train.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <cassert>

namespace vif::host {

RxNotes RxNotes::read(const msghdr& message) {
  RxNotes notes;
  // CMSG_NXTHDR of glibc wants a message that may be written.
  msghdr& list = const_cast<msghdr&>(message);
  for (cmsghdr* at = CMSG_FIRSTHDR(&list); at != nullptr; at = CMSG_NXTHDR(&list, at)) {
    int value = 0;
    if (at->cmsg_len < CMSG_LEN(sizeof value)) continue;
    std::memcpy(&value, CMSG_DATA(at), sizeof value);
    if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_GRO) {
      notes.segment_bytes = static_cast<std::size_t>(std::max(value, 0));
    } else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) {
      notes.discarded = static_cast<std::uint32_t>(value);
      notes.has_discarded = true;
    }
  }
  return notes;
}

std::size_t RxTrain::datagrams() const {
  if (is_empty_) return 0;
  return left_.empty() ? 1 : (left_.size() + segment_bytes_ - 1) / segment_bytes_;
}

Bytes RxTrain::take() {
  assert(!is_empty_);
  const Bytes datagram = left_.first(std::min(segment_bytes_, left_.size()));
  left_ = left_.subspan(datagram.size());
  is_empty_ = left_.empty();
  return datagram;
}

}  // namespace vif::host
