// SPDX-License-Identifier: BSD-2-Clause
// Frames leave room for the tallies at the end, so that a full ring cannot keep them out.
#include "hypercall/host/capture/capture_tap.hpp"

#include <algorithm>

#include "netstack/mbuf_cursor.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kTallyRoomBytes = CaptureTap::kInterfacesMax * (kCaptureHeadBytes + kCaptureTallyBytes);

// Where a tag that is kept beside the bytes belongs: after the two addresses. Source: IEEE 802.1Q-2018, 9.5 and annex
// G.
constexpr std::size_t kTagOffset = 12;
constexpr std::uint32_t kTagTpid = 0x8100;

void put_bytes(ByteRing& ring, net::MbufCursor& from, std::size_t bytes) {
  while (bytes > 0) {
    const Bytes piece = from.take(bytes);
    ring.put(piece);
    bytes -= piece.size();
  }
}

// The frame's first `bytes`, as on the wire.
void put_frame(ByteRing& ring, const net::Mbuf& packet, std::size_t bytes) {
  net::MbufCursor from(packet, 0);
  if (net::bpf_frame_bytes(packet) > packet.pkthdr.len && bytes > kTagOffset) {
    std::array<std::byte, sizeof(std::uint32_t)> tag;
    store<std::uint32_t, std::endian::big>(tag.data(), kTagTpid << 16 | packet.pkthdr.vlan_tci);
    const std::size_t tag_bytes = std::min(tag.size(), bytes - kTagOffset);
    put_bytes(ring, from, kTagOffset);
    ring.put(Bytes(tag).first(tag_bytes));
    bytes -= kTagOffset + tag_bytes;
  }
  put_bytes(ring, from, bytes);
}

}  // namespace

class CaptureTap::Listener final : public net::BpfSink {
 public:
  Listener(CaptureTap& owner, net::Ifnet& ifp, std::uint16_t number, const Config& config)
      : owner_(owner), ifp_(ifp), number_(number), id_(ifp.taps.attach(*this, config.program, config.directions)) {}
  ~Listener() override { ifp_.taps.detach(id_); }

  const net::Ifnet& ifp() const { return ifp_; }

  void tap(const net::Mbuf& packet, net::BpfDirection direction, std::uint32_t keep_bytes) noexcept override {
    const std::size_t bytes = std::min(keep_bytes, owner_.snap_bytes_);
    if (!owner_.ring_.has_room(kCaptureHeadBytes + bytes + kTallyRoomBytes)) {
      ++lost_;
      ++lost_since_;
      return;
    }
    const bool outbound = direction == net::BpfDirection::out;
    const net::PktHdr& header = packet.pkthdr;
    // A link may know better than we when a frame came in; nobody does of one that left just now.
    const bool has_time = !outbound && header.timestamp_ns != 0;
    const CaptureRecord record{.outbound = outbound,
                               .interface = number_,
                               .time_ns = has_time ? header.timestamp_ns : owner_.clock_.wall_ns(),
                               .wire_bytes = std::max(header.wire_len, net::bpf_frame_bytes(packet)),
                               .lost = std::exchange(lost_since_, 0)};
    owner_.ring_.put(capture_head(record, bytes));
    put_frame(owner_.ring_, packet, bytes);
    owner_.publish();
  }

  void put_tally(CaptureRecord::Kind why) {
    const net::BpfStats stats = ifp_.taps.stats(id_);
    const CaptureRecord record{
        .kind = why, .interface = number_, .time_ns = owner_.clock_.wall_ns(), .lost = std::exchange(lost_since_, 0)};
    owner_.ring_.put(capture_head(record, kCaptureTallyBytes));
    owner_.ring_.put(tally_bytes({.seen = stats.seen, .matched = stats.matched, .lost = lost_}));
  }

 private:
  CaptureTap& owner_;
  net::Ifnet& ifp_;
  const std::uint16_t number_;
  std::uint64_t lost_ = 0;
  std::uint32_t lost_since_ = 0;
  const net::BpfTaps::Id id_;
};

CaptureTap::CaptureTap(ClockPort& clock, net::WakePort& wake) : clock_(clock), wake_(wake), ring_(kRingBytes) {}
CaptureTap::~CaptureTap() { assert(domain_ == nullptr); }

void CaptureTap::attach(std::span<net::Ifnet* const> interfaces, const Config& config) {
  assert(domain_ == nullptr && !interfaces.empty() && interfaces.size() <= kInterfacesMax);
  domain_ = &interfaces.front()->domain();
  domain_->listen(*this);
  snap_bytes_ = config.snap_bytes;
  for (net::Ifnet* const ifp : interfaces) {
    const auto number = static_cast<std::uint16_t>(listeners_.size());
    listeners_.push_back(std::make_unique<Listener>(*this, *ifp, number, config));
  }
}

void CaptureTap::stop() {
  for (std::unique_ptr<Listener>& listener : listeners_) {
    if (listener != nullptr) end(listener, CaptureRecord::Kind::stopped);
  }
}

void CaptureTap::if_departed(net::Ifnet& ifp) {
  const auto is_of = [&ifp](const auto& listener) { return listener != nullptr && &listener->ifp() == &ifp; };
  const auto departed = std::ranges::find_if(listeners_, is_of);
  if (departed != listeners_.end()) end(*departed, CaptureRecord::Kind::gone);
}

void CaptureTap::end(std::unique_ptr<Listener>& listener, CaptureRecord::Kind why) {
  listener->put_tally(why);
  listener.reset();
  if (std::ranges::all_of(listeners_, [](const auto& other) { return other == nullptr; })) {
    domain_->unlisten(*this);
    domain_ = nullptr;
    ended_.store(true, std::memory_order_relaxed);
  }
  publish();  // after ended_, so that who sees the last record sees that it is the last
}

}  // namespace vif::host
