// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tunnel_receiver.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "hypercall/vxlan/vxlan_header.hpp"
#include "hypercall/vxlan/work_left.hpp"

namespace vif::host {

// The buffers are not touched before the kernel fills them, so that a quiet tunnel takes little memory.
TunnelReceiver::TunnelReceiver() : bytes_(new std::byte[kTrains * kTrainBytes]) {
  for (std::size_t i = 0; i < kTrains; ++i) {
    pieces_[i] = {bytes_.get() + i * kTrainBytes, kTrainBytes};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_iov = &pieces_[i];
    header.msg_iovlen = 1;
    header.msg_name = arrived_[i].sender.space();
    header.msg_control = controls_[i].bytes.data();
  }
}

int TunnelReceiver::read(int socket) {
  assert(front() == nullptr);
  next_ = count_ = 0;
  for (mmsghdr& message : messages_) {
    message.msg_hdr.msg_namelen = UdpAddress::kSpaceBytes;
    message.msg_hdr.msg_controllen = kControlBytes;
  }
  const int n = ::recvmmsg(socket, messages_.data(), kTrains, MSG_DONTWAIT, nullptr);
  if (n < 0) return errno;
  for (; count_ < static_cast<std::size_t>(n); ++count_) arrived(count_);
  return 0;
}

void TunnelReceiver::arrived(std::size_t message) {
  const msghdr& header = messages_[message].msg_hdr;
  const RxNotes notes = RxNotes::read(header);
  if (notes.has_discarded) count_discarded_until(notes.discarded);
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    ++discarded_;
    arrived_[message].train = {};
    return;
  }
  const Bytes bytes(static_cast<const std::byte*>(pieces_[message].iov_base), messages_[message].msg_len);
  const bool is_super_frame =
      notes.segment_bytes != 0 && bytes.size() > kVxlanHeaderBytes && is_one_packet(bytes.subspan(kVxlanHeaderBytes));
  arrived_[message].train = RxTrain(bytes, is_super_frame ? 0 : notes.segment_bytes);
  arrived_[message].udp_segment_bytes =
      is_super_frame ? static_cast<std::uint16_t>(std::min<std::size_t>(notes.segment_bytes, UINT16_MAX)) : 0;
}

// Datagrams still queued bear an older count.
void TunnelReceiver::count_discarded_until(std::uint32_t discarded) {
  const std::uint32_t more = discarded - discarded_before_;
  if (more > INT32_MAX) return;
  discarded_ += more;
  discarded_before_ = discarded;
}

TunnelReceiver::Arrived* TunnelReceiver::front() {
  while (next_ < count_ && arrived_[next_].train.is_empty()) ++next_;
  return next_ < count_ ? &arrived_[next_] : nullptr;
}

std::uint64_t TunnelReceiver::forget() {
  std::uint64_t datagrams = 0;
  for (; next_ < count_; ++next_) datagrams += arrived_[next_].train.datagrams();
  return datagrams;
}

}  // namespace vif::host
