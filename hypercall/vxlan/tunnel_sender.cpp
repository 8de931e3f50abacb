// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tunnel_sender.hpp"

#include <netinet/udp.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace vif::host {
namespace {

constexpr std::uint64_t bits(std::size_t from, std::size_t count) {
  return (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << from;
}

}  // namespace

TunnelSender::TunnelSender(const TunnelSocket& socket, const VxlanNetwork& network)
    : socket_(socket), network_(network), trains_(network.vni()), in_trains_(socket.has_segment()) {
  static_assert(TxTrains::kSegments <= 64, "a bit of reached_ each");
  for (std::size_t i = 0; i < kMessages; ++i) {
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    cmsghdr& segment = *reinterpret_cast<cmsghdr*>(controls_[i].bytes.data());
    segment.cmsg_level = SOL_UDP;
    segment.cmsg_type = UDP_SEGMENT;
    segment.cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  }
}

// Every pass sends a message, gives one up, or is one of the few that a message may be refused.
TunnelSender::Flushed TunnelSender::flush() {
  constexpr int kRefusalsMax = 2;  // one may be about another datagram: ICMP's reports come in place of an answer
  for (int refusals = 0; !is_empty();) {
    const unsigned messages = describe();
    const int sent = ::sendmmsg(socket_.fd(), messages_.data(), messages, MSG_DONTWAIT);
    for (int i = 0; i < sent; ++i) done(true);
    if (sent > 0) {
      doubts_.reports |= static_cast<unsigned>(sent) < messages;
      refusals = 0;
      continue;
    }
    const int number = errno;
    if (number == EAGAIN) return Flushed::full;
    if (number == ENOBUFS || number == ENOMEM) return Flushed::later;
    if (TunnelSocket::is_unusable(number)) return Flushed::unusable;
    if (++refusals < kRefusalsMax) continue;
    refusals = 0;
    if (number == EINTR) return Flushed::later;
    refused(number);
  }
  trains_.clear();
  at_ = {};
  return Flushed::all;
}

// The message at_ cannot be sent. Where the way has no room for a train's segments, or a device on it no way to cut
// them (EIO), they may go one by one.
void TunnelSender::refused(int number) {
  const bool train = segments_at(at_) > 1;
  doubts_.reports = true;
  doubts_.path |= number == EMSGSIZE || number == EINVAL;
  if (train && number == EIO) in_trains_ = false;
  if (train && (number == EIO || number == EINVAL)) at_.singly = true;
  else done(false);
}

void TunnelSender::abandon() {
  while (!is_empty()) done(false);
  trains_.clear();
  at_ = {};
}

std::size_t TunnelSender::segments_at(const Place& place) const {
  return place.singly ? 1 : trains_.trains()[place.train].segments;
}

TunnelSender::Place TunnelSender::behind(Place place) const {
  const TxTrains::Train& train = trains_.trains()[place.train];
  place.segment += segments_at(place);
  if (place.segment < train.segments) return place;
  const std::size_t copies = train.remote == VxlanNetwork::kEvery ? network_.remotes().size() : 1;
  const bool last = place.copy + 1 == copies;
  return {place.train + last, last ? 0 : place.copy + 1, 0, !in_trains_};
}

// The message at_ was sent, or given up.
void TunnelSender::done(bool sent) {
  const TxTrains::Train& train = trains_.trains()[at_.train];
  if (sent) reached_ |= bits(at_.segment, segments_at(at_));
  const Place next = behind(at_);
  if (next.train != at_.train) {
    failed_ += train.segments - static_cast<std::size_t>(std::popcount(reached_));
    reached_ = 0;
  }
  at_ = next;
}

unsigned TunnelSender::describe() {
  unsigned messages = 0;
  for (Place place = at_; messages < kMessages && place.train < trains_.trains().size(); place = behind(place)) {
    describe(messages++, place);
  }
  return messages;
}

void TunnelSender::describe(std::size_t message, const Place& place) {
  const TxTrains::Train& train = trains_.trains()[place.train];
  const UdpAddress& to = network_.remotes()[train.remote == VxlanNetwork::kEvery ? place.copy : train.remote];
  const bool whole = segments_at(place) == train.segments;
  const Bytes bytes = whole ? train.bytes : train.segment(place.segment);
  pieces_[message] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr& header = messages_[message].msg_hdr;
  header.msg_name = const_cast<sockaddr*>(to.get());
  header.msg_namelen = to.bytes();
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (!whole || train.segments == 1) return;
  Control& control = controls_[message];
  const auto segment_bytes = static_cast<std::uint16_t>(train.segment_bytes);
  std::memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(control.bytes.data())), &segment_bytes, sizeof segment_bytes);
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
}

}  // namespace vif::host
