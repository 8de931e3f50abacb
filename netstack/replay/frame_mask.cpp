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

bool is_checksum(const FrameField& field) { return is_network_checksum(field) || is_transport_checksum(field); }

// Also where it is empty in one of the two frames.
bool is_of_any_size_under(const FrameField& field, const FrameField& checksum) {
  if (field.bits != 0) return false;
  return field.part == checksum.part || (field.part == FieldPart::data && is_transport_checksum(checksum));
}

// The transport's.
bool is_right(Bytes frame, const FrameLayers& layers) {
  const Bytes transport = frame.subspan(layers.transport_at, layers.end - layers.transport_at);
  InternetSum sum;
  if (layers.transport != Transport::icmp4) {
    sum.add_pseudo_header(layers.source(frame), layers.destination(frame), layers.protocol, transport.size());
  }
  sum.add(transport);
  return sum.checksum() == 0;
}

// What stands for a checksum that has to be right.
enum class Checksum : std::uint16_t { unknown, right, wrong, none };

Checksum judged(Bytes frame, const FrameLayers& layers, const FrameField& field, FrameRole role) {
  if (is_network_checksum(field)) {
    const Bytes header = frame.subspan(layers.network_at, layers.transport_at - layers.network_at);
    return role == FrameRole::expected || checksum_of(header) == 0 ? Checksum::right : Checksum::wrong;
  }
  if (layers.is_fragment) return Checksum::unknown;  // it covers what is not here
  const std::optional<FieldPlace> place = place_of(field, layers, frame);
  const bool may_have_none = layers.transport == Transport::udp && layers.network == Network::ipv4;  // RFC 768
  if (may_have_none && place && field_value(*place, frame) == 0) return Checksum::none;
  return role == FrameRole::expected || is_right(frame, layers) ? Checksum::right : Checksum::wrong;
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

MaskedFrame FrameMask::masked(Bytes frame, FrameRole role) const {
  MaskedFrame masked{.bytes = {}, .layers = FrameLayers::of(frame)};
  masked.bytes.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(masked.layers.end));
  settle_checksums(masked, frame, role);
  for (const FrameField* const field : fields_) {
    if (const std::optional<FieldPlace> place = place_of(*field, masked.layers, frame))
      clear(masked.bytes, place->at_bit, place->bits);
  }
  for (const Bytewise& range : ranges_) {
    const std::size_t behind = std::min(range.behind, masked.bytes.size());
    if (range.from < behind) clear(masked.bytes, 8 * range.from, 8 * (behind - range.from));
  }
  return masked;
}

std::vector<std::byte> FrameMask::compared(MaskedFrame masked) const {
  const auto fields = frame_fields();
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {  // from the back, where nothing moves
    if (field->bits != 0 || field->part == FieldPart::padding || !ignores(*field)) continue;
    const std::optional<FieldPlace> place = place_of(*field, masked.layers, masked.bytes);
    if (!place) continue;
    const auto at = masked.bytes.begin() + static_cast<std::ptrdiff_t>(place->at_bit / 8);
    masked.bytes.erase(at, at + static_cast<std::ptrdiff_t>(place->bits / 8));
  }
  return std::move(masked.bytes);
}

void FrameMask::settle_checksums(MaskedFrame& masked, Bytes frame, FrameRole role) const {
  for (const FrameField& field : frame_fields()) {
    if (!has_to_be_right(field, masked.layers, frame)) continue;
    const std::size_t at = place_of(field, masked.layers, frame)->at_bit / 8;
    store_be16(masked.bytes.data() + at, static_cast<std::uint16_t>(judged(frame, masked.layers, field, role)));
  }
}

bool FrameMask::has_to_be_right(const FrameField& checksum, const FrameLayers& layers, Bytes frame) const {
  return is_checksum(checksum) && place_of(checksum, layers, frame) && covers_ignored(checksum, layers, frame);
}

bool FrameMask::covers_ignored(const FrameField& checksum, const FrameLayers& layers, Bytes frame) const {
  const bool is_network = is_network_checksum(checksum);
  const std::size_t begin = is_network ? layers.network_at : layers.transport_at;
  const std::size_t end = is_network ? layers.transport_at : layers.end;
  const bool has_pseudo_header = !is_network && layers.transport != Transport::icmp4;
  for (const FrameField* const field : fields_) {
    if (is_of_any_size_under(*field, checksum)) return true;
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

namespace {

// One of two frames that are compared.
struct Side {
  Bytes frame;
  MaskedFrame masked;

  std::optional<FieldPlace> place(const FrameField& field) const { return place_of(field, masked.layers, frame); }
};

// The first bit from which on two places differ; none: they are the same.
std::optional<std::size_t> first_difference(const Side& one, FieldPlace wanted, const Side& other, FieldPlace came) {
  for (std::size_t i = 0; i < std::min(wanted.bits, came.bits); ++i) {
    const auto bit = [i](const Side& side, FieldPlace place) {
      return field_value({place.at_bit + i, 1}, side.masked.bytes);
    };
    if (bit(one, wanted) != bit(other, came)) return i;
  }
  if (wanted.bits == came.bits) return std::nullopt;
  return std::min(wanted.bits, came.bits);
}

// "ip.ttl: expected 64, received 63". Long fields are shown from where they differ, when their beginnings do not.
std::string text_of(const FrameField& field, FieldComparison line, const Side& one, const Side& other) {
  if (field.form == FieldForm::bytes && line.expected == line.received) {
    const std::size_t at = *first_difference(one, *one.place(field), other, *other.place(field)) / 8 * 8;
    const auto rest = [&](const Side& side) {
      const FieldPlace place = *side.place(field);
      return field_text(field, {place.at_bit + at, place.bits - at}, side.frame);
    };
    line.name += " from @" + std::to_string((other.place(field)->at_bit + at) / 8) + " on";
    line.expected = rest(one);
    line.received = rest(other);
  }
  return line.name + ": expected " + line.expected + ", received " + line.received;
}

}  // namespace

FrameDifference difference_of(Bytes expected, Bytes received, const FrameMask& mask) {
  const Side one{expected, mask.masked(expected, FrameRole::expected)};
  const Side other{received, mask.masked(received, FrameRole::received)};
  const std::vector<std::byte> compared[] = {mask.compared(one.masked), mask.compared(other.masked)};
  const bool same = compared[0] == compared[1];
  FrameDifference difference;
  std::string checksum;  // says least: it differs because of what it covers
  for (const FrameField& field : frame_fields()) {
    const std::optional<FieldPlace> wanted = one.place(field), came = other.place(field);
    if ((!wanted && !came) || field.part == FieldPart::padding) continue;
    FieldComparison line{.name = std::string(field.name),
                         .expected = wanted ? field_text(field, *wanted, expected) : "-",
                         .received = came ? field_text(field, *came, received) : "-",
                         .ignored = mask.ignores(field)};
    const bool is_judged = wanted && mask.has_to_be_right(field, one.masked.layers, expected);
    if (is_judged && static_cast<Checksum>(field_value(*wanted, one.masked.bytes)) == Checksum::right)
      line.expected = "the right one";
    line.differs =
        !same && !line.ignored && (!wanted || !came || first_difference(one, *wanted, other, *came).has_value());
    if (line.differs) {
      std::string& first = is_checksum(field) ? checksum : difference.first;
      if (first.empty()) first = text_of(field, line, one, other);
    }
    difference.fields.push_back(std::move(line));
  }
  if (difference.first.empty()) difference.first = checksum;
  if (same || !difference.first.empty()) return difference;
  const auto at = std::mismatch(compared[0].begin(), compared[0].end(), compared[1].begin(), compared[1].end());
  difference.first = "the frames differ from byte " + std::to_string(at.first - compared[0].begin()) +
                     " on: expected " + std::to_string(expected.size()) + " bytes, received " +
                     std::to_string(received.size());
  return difference;
}

}  // namespace vif::net
