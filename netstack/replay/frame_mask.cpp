// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_mask.hpp"

#include <algorithm>
#include <charconv>

#include "netstack/checksum.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

using Network = FrameLayers::Network;
using Transport = FrameLayers::Transport;

constexpr std::size_t kFrameOffsetsMax = 1 << 20;  // far above any frame

void clear(MutBytes frame, std::size_t at_bit, std::size_t bits) {
  for (std::size_t bit = at_bit; bit < at_bit + bits; ++bit) {
    if (bit / 8 < frame.size()) frame[bit / 8] &= static_cast<std::byte>(~(0x80U >> bit % 8));
  }
}

bool is_network_checksum(const FrameField& field) { return field.name == "ip.checksum"; }
bool is_transport_checksum(const FrameField& field) {
  return field.name == "tcp.checksum" || field.name == "udp.checksum" || field.name == "icmp.checksum" ||
         field.name == "icmpv6.checksum";
}

// Whether the transport's checksum is the right one. 0 in UDP over IPv4 means that there is none.
bool is_right(Bytes frame, const FrameLayers& layers, const FieldPlace& checksum) {
  if (layers.transport == Transport::udp && layers.network == Network::ipv4 && field_value(checksum, frame) == 0) {
    return true;
  }
  const Bytes transport = frame.subspan(layers.transport_at, layers.end - layers.transport_at);
  InternetSum sum;
  if (layers.transport != Transport::icmp4) {
    const bool is_ipv4 = layers.network == Network::ipv4;
    const std::size_t at = layers.network_at + (is_ipv4 ? 12 : 8), bytes = is_ipv4 ? 4 : 16;
    sum.add_pseudo_header(frame.subspan(at, bytes), frame.subspan(at + bytes, bytes), layers.protocol,
                          transport.size());
  }
  sum.add(transport);
  return sum.checksum() == 0;
}

Result<std::size_t> parse_offset(std::string_view text, std::string_view whole) {
  std::size_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error == std::errc{} && end == text.data() + text.size() && offset < kFrameOffsetsMax) return offset;
  return fail(std::errc::invalid_argument,
              "'" + std::string(whole) + "' is no range of bytes: expected @FROM..BEHIND as in @34..38, or @FROM");
}

Status add_range(std::string_view word, FrameMask& mask) {
  const std::string_view inner = word.substr(1);
  const std::size_t dots = inner.find("..");
  const Result<std::size_t> from = parse_offset(inner.substr(0, dots), word);
  if (!from) return from.error();
  const Result<std::size_t> behind =
      dots == std::string_view::npos ? Result<std::size_t>(*from + 1) : parse_offset(inner.substr(dots + 2), word);
  if (!behind) return behind.error();
  if (*behind <= *from)
    return fail(std::errc::invalid_argument, "'" + std::string(word) + "' is an empty range of bytes");
  mask.ignore(*from, *behind);
  return {};
}

}  // namespace

Result<FrameMask> FrameMask::parse(std::string_view text) {
  FrameMask mask;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view word = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (word.starts_with('@')) {
      if (Status added = add_range(word, mask); !added) return added.error();
      continue;
    }
    const Result<const FrameField*> field = find_frame_field(word);
    if (!field) return field.error();
    mask.ignore(**field);
  }
  return mask;
}

void FrameMask::ignore(const FrameMask& other) {
  fields_.insert(fields_.end(), other.fields_.begin(), other.fields_.end());
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

bool FrameMask::ignores(const FrameField& field) const {
  return std::find(fields_.begin(), fields_.end(), &field) != fields_.end();
}

std::vector<std::byte> FrameMask::compared(Bytes frame) const {
  const FrameLayers layers = FrameLayers::of(frame);
  std::vector<std::byte> copy(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(layers.end));
  settle_checksums(copy, frame, layers);
  for (const FrameField* const field : fields_) {
    if (const std::optional<FieldPlace> place = place_of(*field, layers, frame))
      clear(copy, place->at_bit, place->bits);
  }
  for (const Bytewise& range : ranges_) {
    const std::size_t behind = std::min(range.behind, copy.size());
    if (range.from < behind) clear(copy, 8 * range.from, 8 * (behind - range.from));
  }
  return copy;
}

void FrameMask::settle_checksums(MutBytes copy, Bytes frame, const FrameLayers& layers) const {
  for (const FrameField& field : frame_fields()) {
    const bool is_network = is_network_checksum(field);
    if (!is_network && (!is_transport_checksum(field) || layers.is_fragment)) continue;
    const std::optional<FieldPlace> place = place_of(field, layers, frame);
    if (!place || !covers_ignored(field, layers, frame)) continue;
    const bool right = is_network
                           ? checksum_of(frame.subspan(layers.network_at, layers.transport_at - layers.network_at)) == 0
                           : is_right(frame, layers, *place);
    store_be16(copy.data() + place->at_bit / 8, right ? 1 : 0);
  }
}

bool FrameMask::covers_ignored(const FrameField& checksum, const FrameLayers& layers, Bytes frame) const {
  const bool is_network = is_network_checksum(checksum);
  const std::size_t begin = is_network ? layers.network_at : layers.transport_at;
  const std::size_t end = is_network ? layers.transport_at : layers.end;
  const bool has_pseudo_header = !is_network && layers.transport != Transport::icmp4;
  for (const FrameField* const field : fields_) {
    const std::optional<FieldPlace> place = place_of(*field, layers, frame);
    if (!place || field == &checksum) continue;
    const bool is_address =
        field->name == "ip.src" || field->name == "ip.dst" || field->name == "ipv6.src" || field->name == "ipv6.dst";
    if ((place->at_bit < 8 * end && place->at_bit + place->bits > 8 * begin) || (has_pseudo_header && is_address))
      return true;
  }
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [=](const Bytewise& range) { return range.from < end && range.behind > begin; });
}

FrameDifference difference_of(Bytes expected, Bytes received, const FrameMask& mask) {
  FrameDifference difference;
  const FrameLayers layers[] = {FrameLayers::of(expected), FrameLayers::of(received)};
  const std::vector<std::byte> compared[] = {mask.compared(expected), mask.compared(received)};
  const bool same = compared[0] == compared[1];
  for (const FrameField& field : frame_fields()) {
    const std::optional<FieldPlace> places[] = {place_of(field, layers[0], expected),
                                                place_of(field, layers[1], received)};
    if ((!places[0] && !places[1]) || field.part == FieldPart::padding) continue;
    FieldComparison line{.name = std::string(field.name),
                         .expected = places[0] ? field_text(field, *places[0], expected) : "-",
                         .received = places[1] ? field_text(field, *places[1], received) : "-",
                         .ignored = mask.ignores(field)};
    const auto same_bits = [&] {
      if (places[0]->bits != places[1]->bits) return false;
      for (std::size_t i = 0; i < places[0]->bits; i += 32) {
        const std::size_t bits = std::min<std::size_t>(places[0]->bits - i, 32);
        if (field_value({places[0]->at_bit + i, bits}, compared[0]) !=
            field_value({places[1]->at_bit + i, bits}, compared[1]))
          return false;
      }
      return true;
    };
    line.differs = !same && !line.ignored && (places[0].has_value() != places[1].has_value() || !same_bits());
    if (line.differs && difference.first.empty()) {
      difference.first = line.name + ": expected " + line.expected + ", received " + line.received;
      if (line.expected == line.received) difference.first += " (one of them is not the right checksum)";
    }
    difference.fields.push_back(std::move(line));
  }
  if (same || !difference.first.empty()) return difference;
  const auto at = std::mismatch(compared[0].begin(), compared[0].end(), compared[1].begin(), compared[1].end());
  difference.first = "the frames differ from byte " + std::to_string(at.first - compared[0].begin()) +
                     " on: expected " + std::to_string(compared[0].size()) + " bytes, received " +
                     std::to_string(compared[1].size());
  return difference;
}

}  // namespace vif::net
