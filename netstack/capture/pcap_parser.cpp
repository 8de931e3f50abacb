// SPDX-License-Identifier: BSD-2-Clause
// Classic pcap has no redundancy: the captured length is the only thing that can be seen to be wrong.
#include "netstack/capture/pcap_parser.hpp"

#include <cassert>
#include <utility>

#include "netstack/capture/pcap_format.hpp"

namespace vif::net {
namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;
constexpr std::int64_t kNsPerUs = 1'000;

bool is_magic(std::uint32_t word) {
  return word == pcap::kMagicUs || word == pcap::kMagicNs || word == pcap::kMagicModified;
}

template <class T>
T load_ordered(const std::byte* from, std::endian order) {
  return order == std::endian::big ? load<T, std::endian::big>(from) : load<T, std::endian::little>(from);
}

}  // namespace

struct PcapParser::Record {
  std::int64_t timestamp_ns;
  std::uint32_t captured_bytes;
  std::uint32_t wire_bytes;
};

bool PcapParser::recognises(Bytes magic) {
  assert(magic.size() >= 4);
  return is_magic(load<std::uint32_t, std::endian::little>(magic.data())) ||
         is_magic(load<std::uint32_t, std::endian::big>(magic.data()));
}

Result<PcapParser> PcapParser::open(Bytes header) {
  if (header.size() < pcap::kFileHeaderBytes) {
    return capture_cut_short("pcap file header", 0, header.size(), pcap::kFileHeaderBytes);
  }
  PcapParser parser;
  if (is_magic(load<std::uint32_t, std::endian::big>(header.data()))) parser.order_ = std::endian::big;
  const auto magic = load_ordered<std::uint32_t>(header.data(), parser.order_);
  const auto major = load_ordered<std::uint16_t>(header.data() + 4, parser.order_);
  const auto minor = load_ordered<std::uint16_t>(header.data() + 6, parser.order_);
  const bool is_dgux = major == pcap::kVersionMajorDgux && minor == 0;
  if (!is_dgux && (major != pcap::kVersionMajor || minor > pcap::kVersionMinor)) {
    return fail(std::errc::not_supported, "pcap version " + std::to_string(major) + "." + std::to_string(minor) +
                                              " at byte 4: 2.0 to 2.4 and 543.0 are understood");
  }
  // Before 2.3, and in 543.0, the wire length came first; 2.3 has writers of both kinds. Source: libpcap sf-pcap.c.
  if (minor < 3) parser.length_order_ = LengthOrder::captured_last;
  else if (minor == 3) parser.length_order_ = LengthOrder::smaller_is_captured;

  const bool is_modified = magic == pcap::kMagicModified;
  parser.record_header_bytes_ = is_modified ? pcap::kModifiedRecordHeaderBytes : pcap::kRecordHeaderBytes;
  parser.ns_per_fraction_ = magic == pcap::kMagicNs ? 1 : kNsPerUs;
  parser.interface_.snap_bytes = load_ordered<std::uint32_t>(header.data() + 16, parser.order_);
  const auto link = load_ordered<std::uint32_t>(header.data() + 20, parser.order_);
  parser.interface_.link_type = link & pcap::kLinkTypeMask;
  if ((link & pcap::kHasFcs) != 0)
    parser.interface_.fcs_bytes = static_cast<std::uint8_t>((link >> pcap::kFcsWordsShift) * 2);
  return parser;
}

template <std::endian kOrder>
PcapParser::Record PcapParser::load_record(const std::byte* at) const {
  const auto seconds = load<std::uint32_t, kOrder>(at);
  const auto fraction = load<std::uint32_t, kOrder>(at + 4);  // hostile files state more than a second: still fits
  Record record{static_cast<std::int64_t>(seconds) * kNsPerS + static_cast<std::int64_t>(fraction) * ns_per_fraction_,
                load<std::uint32_t, kOrder>(at + 8), load<std::uint32_t, kOrder>(at + 12)};
  if (length_order_ == LengthOrder::captured_first) return record;
  if (length_order_ == LengthOrder::captured_last || record.captured_bytes > record.wire_bytes) {
    std::swap(record.captured_bytes, record.wire_bytes);
  }
  return record;
}

template <std::endian kOrder>
ParsedBytes PcapParser::parse_records(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into) const {
  ParsedBytes parsed;
  const std::size_t header_bytes = record_header_bytes_;
  const std::uint32_t link_type = interface_.link_type;
  std::size_t at = 0;
  while (parsed.frames < into.size() && input.size() - at >= header_bytes) {
    const Record record = load_record<kOrder>(input.data() + at);
    if (record.captured_bytes > kCaptureFrameBytesMax) [[unlikely]] {
      parsed.damage = capture_damage("record header", offset + at,
                                     "captured length " + std::to_string(record.captured_bytes) +
                                         ", expected at most " + std::to_string(kCaptureFrameBytesMax));
      break;
    }
    if (input.size() - at - header_bytes < record.captured_bytes) break;
    into[parsed.frames++] = {.bytes = {input.data() + at + header_bytes, record.captured_bytes},
                             .wire_bytes = record.wire_bytes,
                             .link_type = link_type,
                             .interface = 0,
                             .timestamp_ns = record.timestamp_ns,
                             .has_time = true};
    if (interface_.fcs_bytes != 0) [[unlikely]]
      into[parsed.frames - 1].trim_fcs(interface_.fcs_bytes);
    at += header_bytes + record.captured_bytes;
  }
  parsed.bytes_done = at;
  parsed.frames_full = parsed.frames == into.size();
  return parsed;
}

ParsedBytes PcapParser::parse(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into) const {
  return order_ == std::endian::big ? parse_records<std::endian::big>(input, offset, into)
                                    : parse_records<std::endian::little>(input, offset, into);
}

std::optional<Error> PcapParser::damage_at_end(Bytes rest, std::uint64_t offset) const {
  if (rest.empty()) return {};
  if (rest.size() < record_header_bytes_) {
    return capture_cut_short("record header", offset, rest.size(), record_header_bytes_);
  }
  const Record record = order_ == std::endian::big ? load_record<std::endian::big>(rest.data())
                                                   : load_record<std::endian::little>(rest.data());
  return capture_cut_short("record data", offset, rest.size() - record_header_bytes_, record.captured_bytes);
}

}  // namespace vif::net
