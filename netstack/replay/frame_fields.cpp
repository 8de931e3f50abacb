// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_fields.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net {
namespace {

using enum FieldPart;
using enum FieldForm;

// Offsets: IEEE 802.3 and 802.1Q; RFC 826, 791, 8200, 9293, 768, 792, 4443.
constexpr FrameField kFields[] = {
    {"eth.dst", ethernet, 0, 48, mac},
    {"eth.src", ethernet, 48, 48, mac},
    {"eth.type", ethernet, 96, 16, hex},
    {"vlan.priority", tag, 0, 3, number},
    {"vlan.dei", tag, 3, 1, number},
    {"vlan.id", tag, 4, 12, number},
    {"vlan.etype", tag, 16, 16, hex},
    {"arp.hw.type", arp, 0, 16, number},
    {"arp.proto.type", arp, 16, 16, hex},
    {"arp.hw.size", arp, 32, 8, number},
    {"arp.proto.size", arp, 40, 8, number},
    {"arp.opcode", arp, 48, 16, number},
    {"arp.src.hw_mac", arp, 64, 48, mac},
    {"arp.src.proto_ipv4", arp, 112, 32, address},
    {"arp.dst.hw_mac", arp, 144, 48, mac},
    {"arp.dst.proto_ipv4", arp, 192, 32, address},
    {"ip.version", ipv4, 0, 4, number},
    {"ip.hdr_len", ipv4, 4, 4, words},
    {"ip.dsfield", ipv4, 8, 8, hex},
    {"ip.len", ipv4, 16, 16, number},
    {"ip.id", ipv4, 32, 16, hex},
    {"ip.flags", ipv4, 48, 3, hex},
    {"ip.frag_offset", ipv4, 51, 13, number},
    {"ip.ttl", ipv4, 64, 8, number},
    {"ip.proto", ipv4, 72, 8, number},
    {"ip.checksum", ipv4, 80, 16, hex},
    {"ip.src", ipv4, 96, 32, address},
    {"ip.dst", ipv4, 128, 32, address},
    {"ip.options", ipv4, 160, 0, bytes},
    {"ipv6.version", ipv6, 0, 4, number},
    {"ipv6.tclass", ipv6, 4, 8, hex},
    {"ipv6.flow", ipv6, 12, 20, hex},
    {"ipv6.plen", ipv6, 32, 16, number},
    {"ipv6.nxt", ipv6, 48, 8, number},
    {"ipv6.hlim", ipv6, 56, 8, number},
    {"ipv6.src", ipv6, 64, 128, address},
    {"ipv6.dst", ipv6, 192, 128, address},
    {"ipv6.options", ipv6, 320, 0, bytes},
    {"tcp.srcport", tcp, 0, 16, number},
    {"tcp.dstport", tcp, 16, 16, number},
    {"tcp.seq", tcp, 32, 32, number},
    {"tcp.ack", tcp, 64, 32, number},
    {"tcp.hdr_len", tcp, 96, 4, words},
    {"tcp.flags", tcp, 100, 12, hex},
    {"tcp.window_size_value", tcp, 112, 16, number},
    {"tcp.checksum", tcp, 128, 16, hex},
    {"tcp.urgent_pointer", tcp, 144, 16, number},
    {"tcp.options", tcp, 160, 0, bytes},
    {"udp.srcport", udp, 0, 16, number},
    {"udp.dstport", udp, 16, 16, number},
    {"udp.length", udp, 32, 16, number},
    {"udp.checksum", udp, 48, 16, hex},
    {"icmp.type", icmp4, 0, 8, number},
    {"icmp.code", icmp4, 8, 8, number},
    {"icmp.checksum", icmp4, 16, 16, hex},
    {"icmp.ident", icmp4, 32, 16, hex},
    {"icmp.seq", icmp4, 48, 16, number},
    {"icmpv6.type", icmp6, 0, 8, number},
    {"icmpv6.code", icmp6, 8, 8, number},
    {"icmpv6.checksum", icmp6, 16, 16, hex},
    {"icmpv6.rest", icmp6, 32, 32, hex},
    {"data", data, 0, 0, bytes},
    {"eth.padding", padding, 0, 0, bytes},
};

struct Range {
  std::size_t begin, end;  // in bytes
};

Range transport_range(const FrameLayers& layers, FrameLayers::Transport wanted) {
  if (layers.transport != wanted) return {0, 0};
  return {layers.transport_at, layers.payload_at};
}

Range range_of(FieldPart part, const FrameLayers& layers, Bytes frame) {
  using Network = FrameLayers::Network;
  using Transport = FrameLayers::Transport;
  const std::size_t behind_ip = layers.transport_at != 0 ? layers.transport_at : layers.payload_at;
  switch (part) {
    case ethernet:
      return {0, std::min(frame.size(), kEtherHeaderBytes)};
    case tag:
      return layers.tags > 0 ? Range{kEtherHeaderBytes, kEtherHeaderBytes + kVlanTagBytes} : Range{0, 0};
    case arp:
      return layers.network == Network::arp ? Range{layers.network_at, layers.payload_at} : Range{0, 0};
    case ipv4:
      return layers.network == Network::ipv4 ? Range{layers.network_at, behind_ip} : Range{0, 0};
    case ipv6:
      return layers.network == Network::ipv6 ? Range{layers.network_at, behind_ip} : Range{0, 0};
    case tcp:
      return transport_range(layers, Transport::tcp);
    case udp:
      return transport_range(layers, Transport::udp);
    case icmp4:
      return transport_range(layers, Transport::icmp4);
    case icmp6:
      return transport_range(layers, Transport::icmp6);
    case data:
      return {layers.payload_at, layers.end};
    case padding:
      break;
  }
  return {layers.end, frame.size()};
}

void put_hex(std::string& text, unsigned octet) {
  constexpr char kDigits[] = "0123456789abcdef";
  text += kDigits[octet >> 4];
  text += kDigits[octet & 15];
}

std::string joined_hex(Bytes bytes, char between) {
  std::string text;
  for (const std::byte byte : bytes) {
    if (!text.empty()) text += between;
    put_hex(text, std::to_integer<unsigned>(byte));
  }
  return text;
}

std::string bytes_text(Bytes bytes) {
  constexpr std::size_t kShown = 16;
  std::string text =
      std::to_string(bytes.size()) + " bytes: " + joined_hex(bytes.first(std::min(bytes.size(), kShown)), ' ');
  return bytes.size() > kShown ? text + " ..." : text;
}

std::string hex_text(std::uint64_t value, std::size_t bits) {
  std::string text = "0x";
  for (std::size_t octets = (bits + 7) / 8; octets > 0; --octets) {
    put_hex(text, static_cast<unsigned>(value >> (8 * (octets - 1)) & 0xff));
  }
  return text;
}

}  // namespace

std::span<const FrameField> frame_fields() { return kFields; }

Result<const FrameField*> find_frame_field(std::string_view name) {
  const auto* const at =
      std::find_if(std::begin(kFields), std::end(kFields), [=](const FrameField& f) { return f.name == name; });
  if (at != std::end(kFields)) return at;
  std::string known;
  const std::string_view prefix = name.substr(0, name.find('.'));
  for (const FrameField& field : kFields) {
    if (field.name.substr(0, field.name.find('.')) == prefix)
      known += (known.empty() ? "" : ", ") + std::string(field.name);
  }
  if (known.empty())
    known = "names such as eth.src, vlan.id, arp.opcode, ip.ttl, ipv6.hlim, tcp.seq, udp.checksum, icmp.ident, data";
  return fail(std::errc::invalid_argument, "no field is called '" + std::string(name) + "': expected " + known);
}

std::optional<FieldPlace> place_of(const FrameField& field, const FrameLayers& layers, Bytes frame) {
  const Range range = range_of(field.part, layers, frame);
  const std::size_t begin = 8 * range.begin + field.at_bit, part_end = 8 * range.end;
  const std::size_t end = field.bits != 0 ? begin + field.bits : part_end;
  if (end > part_end || begin >= end) return std::nullopt;
  return FieldPlace{begin, end - begin};
}

std::uint64_t field_value(const FieldPlace& place, Bytes frame) {
  std::uint64_t value = 0;
  for (std::size_t bit = place.at_bit; bit < place.at_bit + place.bits; ++bit) {
    value = value << 1 | (std::to_integer<unsigned>(frame[bit / 8]) >> (7 - bit % 8) & 1);
  }
  return value;
}

std::string field_text(const FrameField& field, const FieldPlace& place, Bytes frame) {
  const Bytes within = frame.subspan(place.at_bit / 8, (place.bits + 7) / 8);
  switch (field.form) {
    case number:
      return std::to_string(field_value(place, frame));
    case words:
      return std::to_string(4 * field_value(place, frame));
    case hex:
      return hex_text(field_value(place, frame), place.bits);
    case mac:
      return joined_hex(within, ':');
    case address:
      return (within.size() == inet::kIp4AddressBytes ? inet::IpAddress::load4(within.data())
                                                      : inet::IpAddress::load6(within.data()))
          .to_string();
    case bytes:
      break;
  }
  return bytes_text(within);
}

}  // namespace vif::net
