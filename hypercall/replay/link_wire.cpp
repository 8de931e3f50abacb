// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/link_wire.hpp"

#include <algorithm>

#include "netstack/replay/wire_frames.hpp"

namespace vif::host {

Result<std::unique_ptr<LinkWire>> LinkWire::open(const std::string& linkstr, const Host& host, WireListener& listener) {
  const Result<drv::Linkstr> parsed = drv::Linkstr::parse(linkstr);
  if (!parsed) return parsed.error();
  std::unique_ptr<LinkWire> wire(new LinkWire(host, listener));
  const std::string ifname = "replay";
  const net::MacAddress lladdr = net::random_mac(host.domain.random().next());
  Result<drv::OpenLink> link = host.opener.open(*parsed, {ifname, lladdr, host.domain});
  if (!link) return std::move(link).error();
  wire->link_ = std::move(*link);
  wire->slot_ = host.domain.enter(*wire);
  if (!wire->slot_) return fail(std::errc::no_space_on_device, "the domain is full: raise its interfaces_max");
  if (Status started = wire->link_.port->start(*wire); !started) return std::move(started).error();
  wire->started_ = true;
  wire->link_.port->set_receive_filter({.lladdr = lladdr, .promisc = true});
  wire->ready();
  return wire;
}

LinkWire::~LinkWire() {
  close();
  if (slot_) domain_.leave(*slot_);
}

void LinkWire::close() {
  if (std::exchange(started_, false)) link_.port->stop();
}

net::ReplayWire::Sent LinkWire::send(std::span<const Bytes> frames) {
  if (!started_ || link_state() == net::LinkState::down) return {0, Answer::down};
  std::array<Bytes, kBurstFrames> slices;
  std::array<drv::TxFrame, kBurstFrames> burst;
  const std::size_t count = std::min(frames.size(), kBurstFrames);
  for (std::size_t i = 0; i < count; ++i) {
    slices[i] = padded(frames[i], i);
    burst[i] = {{&slices[i], 1}, static_cast<std::uint32_t>(slices[i].size()), {}};
  }
  if (!begun_) begun_ = clock_.now();
  const drv::SendResult sent = link_.port->send(std::span(burst).first(count));
  if (sent.taken > 0) {
    first_sent_ = *begun_;
    last_sent_ = clock_.now();
    sent_frames_ += sent.taken;
    for (const Bytes frame : frames.first(sent.taken)) sent_bytes_ += frame.size();
  }
  switch (sent.status) {
    case drv::SendStatus::ok:
      return {sent.taken, Answer::ok};
    case drv::SendStatus::would_block:
      return {sent.taken, Answer::would_block};
    case drv::SendStatus::message_size:
      return {sent.taken, Answer::refused};
    case drv::SendStatus::network_down:
      break;
  }
  return {sent.taken, Answer::down};
}

Bytes LinkWire::padded(Bytes frame, std::size_t slot) {
  const std::size_t bytes_min = std::min<std::size_t>(link_.caps.frame_bytes_min, kPaddedBytesMax);
  if (frame.size() >= bytes_min) return frame;
  const MutBytes into(padding_[slot]);
  std::fill(std::copy(frame.begin(), frame.end(), into.begin()), into.end(), std::byte{0});
  return into.first(bytes_min);
}

void LinkWire::deliver(std::span<const drv::RxFrame> frames) {
  for (const drv::RxFrame& frame : frames) {
    scratch_.clear();
    arrived_.clear();
    if (!frame.offload.is_pending()) arrived_.push_back(frame.bytes);
    else if (!net::wire_frames(scratch_.copy(frame.bytes), frame.offload, domain_.pool(), scratch_, arrived_)) {
      ++unreadable_frames_;
    }
    received_frames_ += arrived_.size();
    for (const Bytes piece : arrived_) listener_.wire_received(piece);
  }
}

void LinkWire::link_changed(net::LinkState state, const Error* why) {
  link_.caps.link_state = state;
  listener_.wire_link_changed(state, why);
}

void LinkWire::lost(DropReason reason, std::uint64_t frames) {
  if (reason == DropReason::tx_error || reason == DropReason::tx_impaired) lost_frames_ += frames;
}

bool LinkWire::poll(std::size_t budget) {
  if (!started_) return false;
  const net::UpcallScope scope(domain_);
  const bool more = link_.port->drain(budget);
  listener_.wire_writable();
  return more;
}

}  // namespace vif::host
