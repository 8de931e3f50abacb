// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_fitter.hpp"

#include "netstack/checksum.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/inet/packet.hpp"
#include "netstack/replay/frame_layers.hpp"
#include "netstack/replay/wire_frames.hpp"

namespace vif::net {
namespace {

// RFC 791, 3.1.
constexpr std::size_t kIpv4LengthAt = 2, kIpv4FragmentAt = 6, kIpv4ChecksumAt = 10;
constexpr std::uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000, kOffsetBits = 0x1fff;
constexpr std::size_t kTcpChecksumAt = 16;  // RFC 9293, 3.1

// What a Segmenter is to know of a TCP packet; its checksum field becomes the pseudo-header's sum. Packets of
// `packet_bytes_max` come out.
std::optional<Offload> tcp_offload(MutBytes frame, const FrameLayers& layers, std::size_t packet_bytes_max) {
  const std::size_t packet_header_bytes = layers.payload_at - layers.network_at;
  const std::size_t room = packet_bytes_max - std::min(packet_bytes_max, packet_header_bytes);
  if (room == 0 || room > UINT16_MAX) return std::nullopt;
  const bool is_ipv4 = layers.network == FrameLayers::Network::ipv4;
  InternetSum pseudo;
  pseudo.add_pseudo_header(layers.source(frame), layers.destination(frame), inet::kProtocolTcp,
                           frame.size() - layers.transport_at);
  store_be16(frame.data() + layers.transport_at + kTcpChecksumAt, pseudo.folded());
  return Offload{.flags = Offload::kNeedsChecksum,
                 .gso_type = is_ipv4 ? Offload::kGsoTcp4 : Offload::kGsoTcp6,
                 .hdr_len = static_cast<std::uint16_t>(layers.payload_at),
                 .gso_size = static_cast<std::uint16_t>(room),
                 .csum_start = static_cast<std::uint16_t>(layers.transport_at),
                 .csum_offset = kTcpChecksumAt};
}

// Fragments of an IPv4 packet, options in each: those few that are not to be copied (RFC 791, 3.1) do no harm here.
std::optional<ReplayRefusal> fragment(Bytes frame, const FrameLayers& layers, std::size_t packet_bytes_max,
                                      Scratch& scratch, std::vector<Bytes>& wire) {
  const std::uint16_t field = load_be16(frame.data() + layers.network_at + kIpv4FragmentAt);
  if ((field & kDontFragment) != 0) return ReplayRefusal::dont_fragment;
  const std::size_t header_bytes = layers.transport_at - layers.network_at;
  const std::size_t room = (packet_bytes_max - std::min(packet_bytes_max, header_bytes)) / 8 * 8;
  if (room == 0) return ReplayRefusal::too_long;
  const Bytes data = frame.first(layers.end).subspan(layers.transport_at);
  if ((field & kOffsetBits) + data.size() / 8 > kOffsetBits) return ReplayRefusal::too_long;
  for (std::size_t at = 0; at < data.size(); at += room) {
    const std::size_t here = std::min(room, data.size() - at);
    const MutBytes piece = scratch.take(layers.transport_at + here);
    std::copy_n(frame.begin(), layers.transport_at, piece.begin());
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at), here,
                piece.begin() + static_cast<std::ptrdiff_t>(layers.transport_at));
    std::byte* const ip = piece.data() + layers.network_at;
    const bool more = at + here < data.size() || (field & kMoreFragments) != 0;
    store_be16(ip + kIpv4LengthAt, static_cast<std::uint16_t>(header_bytes + here));
    store_be16(ip + kIpv4FragmentAt,
               static_cast<std::uint16_t>((more ? kMoreFragments : 0) | ((field & kOffsetBits) + at / 8)));
    store_be16(ip + kIpv4ChecksumAt, 0);
    store_be16(ip + kIpv4ChecksumAt, checksum_of({ip, header_bytes}));
    wire.push_back(piece);
  }
  return std::nullopt;
}

}  // namespace

std::optional<ReplayRefusal> FrameFitter::fit(const CaptureFrame& record, Scratch& scratch, std::vector<Bytes>& wire) {
  change_ = Change::none;
  const Bytes frame = record.bytes;
  if (record.link_type != kLinkTypeEthernet) return ReplayRefusal::wrong_link_type;
  if (record.wire_bytes > frame.size()) return ReplayRefusal::cut_short;
  if (frame.size() < kEtherHeaderBytes) return ReplayRefusal::runt;
  const std::size_t bytes_max = std::min<std::size_t>(
      fit_.frame_bytes_max, frame_bytes_max(fit_.mtu_bytes, EtherHeader::load_type(frame.data())));
  if (frame.size() <= bytes_max) {
    wire.push_back(frame);
    return std::nullopt;
  }
  if (fit_.oversize == ReplayOversize::refuse) return ReplayRefusal::too_long;
  if (fit_.oversize == ReplayOversize::truncate) {
    change_ = Change::truncated;
    wire.push_back(frame.first(bytes_max));
    return std::nullopt;
  }
  change_ = Change::split;
  return split(frame, bytes_max, scratch, wire);
}

std::optional<ReplayRefusal> FrameFitter::split(Bytes frame, std::size_t bytes_max, Scratch& scratch,
                                                std::vector<Bytes>& wire) {
  const FrameLayers layers = FrameLayers::of(frame);
  const std::size_t packet_bytes_max = bytes_max - std::min(bytes_max, layers.network_at);
  if (layers.transport == FrameLayers::Transport::tcp && !layers.is_fragment) {
    const MutBytes whole = scratch.copy(frame.first(layers.end));
    const std::optional<Offload> offload = tcp_offload(whole, layers, packet_bytes_max);
    const bool done = offload && wire_frames(whole, *offload, pool_, scratch, wire);
    return done ? std::nullopt : std::optional(ReplayRefusal::too_long);
  }
  if (layers.network != FrameLayers::Network::ipv4) return ReplayRefusal::too_long;
  return fragment(frame, layers, packet_bytes_max, scratch, wire);
}

}  // namespace vif::net
