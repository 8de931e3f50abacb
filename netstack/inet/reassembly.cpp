// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/reassembly.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

Reassembly::Reassembly(Stack& stack) : stack_(stack), due_(stack.domain.callouts(), [this] { run_due(); }) {}

std::optional<Packet> Reassembly::add(const Place& place, Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  const bool odd_end = place.more && bytes % 8 != 0;
  if (bytes == 0 || odd_end || place.offset + bytes > place.end_max) {
    count.drop(InetDrop::bad_fragment);
    return std::nullopt;
  }
  Datagram& datagram = datagrams_[find_or_add(place, packet)];
  const Fit how = datagram.refused ? Fit::repeats : fit(datagram, place, bytes);
  if (how != Fit::fits) {
    count.drop(InetDrop::bad_fragment);
    if (how == Fit::contradicts) refuse(datagram);
    return std::nullopt;
  }
  if (!place.more) datagram.end = place.offset + bytes;
  const auto at = std::upper_bound(datagram.parts.begin(), datagram.parts.end(), place.offset,
                                   [](std::size_t offset, const Part& part) { return offset < part.offset; });
  datagram.parts.insert(at, {place.offset, bytes, std::move(packet)});
  ++waiting_;
  if (is_whole(datagram)) {
    Datagram whole = std::move(datagram);
    datagrams_.erase(datagrams_.begin() + (&datagram - datagrams_.data()));
    arm();
    return join(std::move(whole));
  }
  while (waiting_ > kFragmentsMax) drop(0, InetDrop::fragment_limit);
  return std::nullopt;
}

std::size_t Reassembly::find_or_add(const Place& place, const Packet& packet) {
  const auto at = std::find_if(datagrams_.begin(), datagrams_.end(), [&](const Datagram& datagram) {
    return datagram.id == place.id && datagram.protocol == place.protocol && datagram.src == packet.src &&
           datagram.dst == packet.dst;
  });
  if (at != datagrams_.end()) return static_cast<std::size_t>(at - datagrams_.begin());
  if (datagrams_.size() == kDatagramsMax) drop(0, InetDrop::fragment_limit);
  datagrams_.push_back({.src = packet.src,
                        .dst = packet.dst,
                        .id = place.id,
                        .protocol = place.protocol,
                        .deadline = stack_.domain.now() + kTimeout,
                        .parts = {}});
  arm();
  return datagrams_.size() - 1;
}

Reassembly::Fit Reassembly::fit(const Datagram& datagram, const Place& place, std::size_t bytes) {
  const std::size_t end = place.offset + bytes;
  for (const Part& part : datagram.parts) {
    if (part.offset == place.offset && part.bytes == bytes) return Fit::repeats;
    if (part.offset < end && place.offset < part.offset + part.bytes) return Fit::contradicts;
  }
  const bool behind_the_end = datagram.end != SIZE_MAX && (end > datagram.end || !place.more);
  const bool before_others = !place.more && !datagram.parts.empty() && datagram.parts.back().offset >= end;
  return behind_the_end || before_others ? Fit::contradicts : Fit::fits;
}

bool Reassembly::is_whole(const Datagram& datagram) {
  std::size_t bytes = 0;
  for (const Part& part : datagram.parts) bytes += part.bytes;
  return bytes == datagram.end;
}

Packet Reassembly::join(Datagram datagram) {
  waiting_ -= datagram.parts.size();
  stack_.counters.merged.add(datagram.parts.size() - 1);
  Packet whole = std::move(datagram.parts.front().packet);
  whole.m->pkthdr.offload = {};
  for (std::size_t i = 1; i < datagram.parts.size(); ++i) {
    Packet& part = datagram.parts[i].packet;
    whole.to_group |= part.to_group;
    m_trim_front(part.m, part.payload);
    m_cat(whole.m, std::move(part.m));
  }
  return whole;
}

void Reassembly::refuse(Datagram& datagram) {
  stack_.counters.drop(InetDrop::bad_fragment, datagram.parts.size());
  waiting_ -= datagram.parts.size();
  datagram.parts.clear();
  datagram.refused = true;
}

void Reassembly::drop(std::size_t index, InetDrop why) {
  stack_.counters.drop(why, datagrams_[index].parts.size());
  waiting_ -= datagrams_[index].parts.size();
  datagrams_.erase(datagrams_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Reassembly::forget(const Interface& in) {
  for (std::size_t i = datagrams_.size(); i-- > 0;) {
    const auto& parts = datagrams_[i].parts;
    const bool from_it =
        std::any_of(parts.begin(), parts.end(), [&](const Part& part) { return part.packet.in == &in; });
    if (from_it) drop(i, InetDrop::fragment_timeout);
  }
}

// The sender is told when the first fragment is there (RFC 792; RFC 8200, 4.5).
void Reassembly::run_due() {
  while (!datagrams_.empty() && datagrams_.front().deadline <= stack_.domain.now()) {
    std::vector<Part> parts = std::move(datagrams_.front().parts);
    datagrams_.erase(datagrams_.begin());
    waiting_ -= parts.size();
    stack_.counters.drop(InetDrop::fragment_timeout, parts.size());
    if (!parts.empty() && parts.front().offset == 0) stack_.reassembly_timed_out(parts.front().packet);
  }
  arm();
}

void Reassembly::arm() {
  if (datagrams_.empty()) due_.cancel();
  else due_.schedule(datagrams_.front().deadline);
}

}  // namespace vif::net::inet
