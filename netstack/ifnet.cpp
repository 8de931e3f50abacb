// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/ifnet.hpp"

#include <algorithm>
#include <array>

#include "netstack/ether.hpp"

namespace vif::net {

Ifnet::Ifnet(Domain& domain, IfDriver& driver, std::string base, std::uint32_t unit, std::size_t send_queue_frames)
    : snd(send_queue_frames),
      domain_(domain),
      driver_(driver),
      name_(std::move(base) + std::to_string(unit)),
      unit_(unit),
      mtu_bytes_max_(kFrameBytesMax - kEtherHeaderBytes) {}

Status Ifnet::ioctl(const IfRequest& request) { return driver_.if_ioctl(request); }

void Ifnet::input(MbufPtr packet) {
  if (input_ != nullptr) return input_->input(*this, std::move(packet));
  ether_input(*this, std::move(packet));
}

// Refusals have no text: thousands a second are refused when a link is slow, and a text is allocated.
Status Ifnet::transmit(MbufPtr frame) {
  if (!is(IFF_UP) || !is(IFF_RUNNING) || link_state_ == LinkState::down) {
    drop(DropReason::tx_down, *frame);
    return fail(std::errc::network_down, {});
  }
  if (frame->pkthdr.len < kEtherHeaderBytes) {
    drop(DropReason::tx_too_short, *frame);
    return fail(std::errc::invalid_argument, {});
  }
  if (!m_pullup(frame, kEtherHeaderBytes)) {
    drop(DropReason::tx_no_mbuf, *frame);
    return fail(std::errc::no_buffer_space, {});
  }
  PktHdr& hdr = frame->pkthdr;
  const EtherHeader header = EtherHeader::load(frame->data());
  if (hdr.offload.gso_type == Offload::kGsoNone && hdr.len > frame_bytes_max(mtu_bytes_, header.type)) {
    drop(DropReason::tx_too_long, *frame);
    return fail(std::errc::message_size, {});
  }
  if (snd.full()) {
    drop(DropReason::queue_full, *frame);
    return fail(std::errc::no_buffer_space, {});
  }
  hdr.rcvif = 0;
  hdr.flags &= static_cast<std::uint16_t>(~(M_BCAST | M_MCAST | M_PROMISC));
  hdr.offload.flags &= static_cast<std::uint8_t>(~Offload::kDataValid);
  if (header.dst == kBroadcast) hdr.flags |= M_BCAST;
  else if (header.dst.is_group()) hdr.flags |= M_MCAST;
  snd.push(std::move(frame));
  if (!is(IFF_OACTIVE)) driver_.if_start();
  return {};
}

void Ifnet::set_flag(IfFlag flag, bool on) { flags_ = on ? flags_ | flag : flags_ & ~std::uint32_t{flag}; }

void Ifnet::set_user_flags(std::uint32_t flags) { flags_ = (flags_ & ~kUserFlags) | (flags & kUserFlags); }

void Ifnet::set_mtu_max(std::uint32_t mtu_bytes_max) {
  mtu_bytes_max_ = mtu_bytes_max;
  mtu_bytes_ = std::min(mtu_wanted_bytes_, mtu_bytes_max);
}

void Ifnet::set_link_state(LinkState state, std::string_view why) {
  if (state == link_state_) return;
  link_state_ = state;
  counters.changed(domain_.now());
  constexpr std::array<std::string_view, 3> kNames = {"unknown", "down", "up"};
  domain_.trace().linkstate(name_, kNames[static_cast<std::size_t>(state)], why);
  domain_.announce_link_change(*this);
}

void Ifnet::trace_drop(DropReason reason, std::uint64_t frames, std::size_t bytes, const EtherHeader* header) const {
  if (frames == 0) return;
  IfTrace::MacText dst{}, src{};
  if (header != nullptr) {
    header->dst.to_string().copy(dst.data(), dst.size() - 1);
    header->src.to_string().copy(src.data(), src.size() - 1);
  }
  const std::uint16_t type = header != nullptr ? header->type : 0;
  const auto tell = [&](const auto& point) {
    point(name_, vif::name(reason), frames, static_cast<std::uint32_t>(bytes), dst, src, type);
  };
  is_transmit(reason) ? tell(domain_.trace().tx_drop) : tell(domain_.trace().rx_drop);
}

void Ifnet::trace_drop(DropReason reason, std::size_t bytes, Bytes begin) const {
  if (begin.size() < kEtherHeaderBytes) return trace_drop(reason, 1, bytes, nullptr);
  const EtherHeader header = EtherHeader::load(begin.data());
  trace_drop(reason, 1, bytes, &header);
}

Result<Reprogram> Ifnet::count(std::uint32_t& counter, bool on, const char* what) {
  if (!on && counter == 0) {
    return fail(std::errc::invalid_argument, name_ + ": " + what + " mode is not on: nothing to switch off");
  }
  const bool was = counter > 0;
  counter = on ? counter + 1 : counter - 1;
  return was != (counter > 0) ? Reprogram::yes : Reprogram::no;
}

Result<Reprogram> Ifnet::count_promisc(bool on) {
  Result<Reprogram> changed = count(promisc_count_, on, "promiscuous");
  set_flag(IFF_PROMISC, promisc_count_ > 0);
  return changed;
}

Result<Reprogram> Ifnet::count_allmulti(bool on) {
  Result<Reprogram> changed = count(allmulti_count_, on, "all-multicast");
  update_allmulti();
  return changed;
}

void Ifnet::update_allmulti() { set_flag(IFF_ALLMULTI, allmulti_count_ > 0 || groups_.has_range()); }

void Ifnet::purge(DropReason reason) {
  for (; snd.size() > 0; snd.pop()) drop(reason, *snd.peek(0));
}

}  // namespace vif::net
