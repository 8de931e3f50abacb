// SPDX-License-Identifier: BSD-2-Clause
// Blocks are checked as libpcap checks them (lengths, trailers, interface numbers). Options are not: a frame is
// readable whatever they say, so a list that makes no sense ends where it stops making sense.
#include "netstack/capture/pcapng_parser.hpp"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "netstack/capture/pcapng_format.hpp"
#include "netstack/capture/pcapng_options.hpp"

namespace vif::net {

using namespace pcapng;

struct PcapngParser::Block {
  Bytes body;            // between header and trailer
  std::uint32_t type;    // BlockType
  std::uint64_t offset;  // of the block in the file
};

namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

bool is_packet(std::uint32_t type) {
  return type == kEnhancedPacket || type == kSimplePacket || type == kObsoletePacket;
}

// The smallest body a block we read can have.
std::size_t body_bytes_min(std::uint32_t type) {
  if (type == kInterfaceDescription) return kInterfaceHeaderBytes;
  return type == kSimplePacket ? kSimplePacketHeaderBytes : kPacketHeaderBytes;
}

Error trailer_damage(std::uint64_t trailer_offset, std::uint32_t trailer, std::uint32_t block_bytes) {
  return capture_damage(
      "block trailer", trailer_offset,
      "length " + number(trailer) + ", expected " + number(block_bytes) + " as in the block's header");
}

bool is_length(std::uint32_t block_bytes, std::size_t bytes_min) {
  return block_bytes >= bytes_min && block_bytes % 4 == 0;
}

Error length_damage(std::uint32_t block_bytes, std::size_t bytes_min, std::uint64_t offset) {
  return capture_damage("block header", offset,
                        "block length " + number(block_bytes) + ", expected a multiple of 4 from " + number(bytes_min));
}

}  // namespace

bool PcapngParser::recognises(Bytes magic) {
  assert(magic.size() >= 4);
  return load<std::uint32_t, std::endian::big>(magic.data()) == kSectionHeader;
}

template <class T>
T PcapngParser::load_ordered(const std::byte* from) const {
  return order_ == std::endian::big ? load<T, std::endian::big>(from) : load<T, std::endian::little>(from);
}

ParsedBytes PcapngParser::parse(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into) {
  ParsedBytes parsed;
  for (;;) {
    const Bytes rest = input.subspan(parsed.bytes_done);
    const std::size_t bytes = advance(rest, offset + parsed.bytes_done, into, parsed);
    if (bytes == 0) return parsed;
    parsed.bytes_done += bytes;
  }
}

// One block, or one more part of a block that is skipped. Returns the bytes done with: 0 means stop (more input needed,
// no room for a frame, damage).
std::size_t PcapngParser::advance(Bytes rest, std::uint64_t offset, std::span<CaptureFrame> into, ParsedBytes& parsed) {
  if (skip_bytes_ > 0) return skip(rest, parsed);
  if (rest.size() < kBlockBytesMin) return 0;
  if (load<std::uint32_t, std::endian::big>(rest.data()) == kSectionHeader) return begin_section(rest, offset, parsed);
  return order_ == std::endian::big ? advance_block<std::endian::big>(rest, offset, into, parsed)
                                    : advance_block<std::endian::little>(rest, offset, into, parsed);
}

std::size_t PcapngParser::begin_section(Bytes rest, std::uint64_t offset, ParsedBytes& parsed) {
  constexpr std::size_t kHeadBytes = kBlockHeaderBytes + 8;  // up to and with the version
  if (rest.size() < kHeadBytes) return 0;
  if (load<std::uint32_t, std::endian::big>(rest.data() + 8) == kByteOrderMagic) {
    order_ = std::endian::big;
  } else if (load<std::uint32_t, std::endian::little>(rest.data() + 8) == kByteOrderMagic) {
    order_ = std::endian::little;
  } else {
    parsed.damage = capture_damage("section header", offset, "no byte order magic 1a2b3c4d in either order");
    return 0;
  }
  const auto major = load_ordered<std::uint16_t>(rest.data() + 12);
  const auto minor = load_ordered<std::uint16_t>(rest.data() + 14);
  if (major != kVersionMajor || (minor != 0 && minor != 2)) {
    parsed.damage =
        fail(std::errc::not_supported, "pcapng version " + number(major) + "." + number(minor) + " at byte " +
                                           number(offset + 12) + ": 1.0 and 1.2 are understood");
    return 0;
  }
  const auto block_bytes = load_ordered<std::uint32_t>(rest.data() + 4);
  constexpr std::size_t kBytesMin = kBlockBytesMin + kSectionHeaderBytes;
  if (!is_length(block_bytes, kBytesMin)) {
    parsed.damage = length_damage(block_bytes, kBytesMin, offset);
    return 0;
  }
  section_interface_ = interfaces_.size();
  return begin_skip(block_bytes, offset, rest, parsed);
}

template <std::endian kOrder>
std::size_t PcapngParser::advance_block(Bytes rest, std::uint64_t offset, std::span<CaptureFrame> into,
                                        ParsedBytes& parsed) {
  const auto type = load<std::uint32_t, kOrder>(rest.data());
  const auto block_bytes = load<std::uint32_t, kOrder>(rest.data() + 4);
  const bool is_frame = is_packet(type);
  if (is_frame && parsed.frames == into.size()) {
    parsed.frames_full = true;
    return 0;
  }
  const bool is_skipped = !is_frame && type != kInterfaceDescription;
  const std::size_t bytes_min = kBlockBytesMin + (is_skipped ? 0 : body_bytes_min(type));
  if (!is_length(block_bytes, bytes_min)) [[unlikely]] {
    parsed.damage = length_damage(block_bytes, bytes_min, offset);
    return 0;
  }
  if (is_skipped) return begin_skip(block_bytes, offset, rest, parsed);
  if (block_bytes > kBlockBytesMax) [[unlikely]] {
    parsed.damage = capture_damage("block header", offset,
                                   "block of type " + number(type) + " claims " + number(block_bytes) +
                                       " bytes, expected at most " + number(kBlockBytesMax));
    return 0;
  }
  if (rest.size() < block_bytes) return 0;

  const std::size_t trailer_at = block_bytes - kBlockTrailerBytes;
  const auto trailer = load<std::uint32_t, kOrder>(rest.data() + trailer_at);
  if (trailer != block_bytes) [[unlikely]] {
    parsed.damage = trailer_damage(offset + trailer_at, trailer, block_bytes);
    return 0;
  }
  const Block block{rest.first(trailer_at).subspan(kBlockHeaderBytes), type, offset};
  bool is_read = false;
  if (!is_frame) is_read = add_interface<kOrder>(block, parsed);
  else if (type == kSimplePacket) is_read = read_simple_packet<kOrder>(block, into[parsed.frames], parsed);
  else is_read = read_packet<kOrder>(block, into[parsed.frames], parsed);
  if (!is_read) return 0;
  if (is_frame) {
    CaptureFrame& frame = into[parsed.frames++];
    const std::uint32_t fcs_bytes = interfaces_[frame.interface].fcs_bytes;
    if (fcs_bytes != 0) [[unlikely]]
      frame.trim_fcs(fcs_bytes);
  }
  return block_bytes;
}

std::size_t PcapngParser::begin_skip(std::uint32_t block_bytes, std::uint64_t offset, Bytes rest, ParsedBytes& parsed) {
  skip_bytes_ = skip_block_bytes_ = block_bytes;
  skip_offset_ = offset;
  return skip(rest, parsed);
}

std::size_t PcapngParser::skip(Bytes rest, ParsedBytes& parsed) {
  const std::size_t body_bytes = skip_bytes_ - kBlockTrailerBytes;
  if (rest.size() < body_bytes + kBlockTrailerBytes) {
    const std::size_t bytes = std::min(rest.size(), body_bytes);
    skip_bytes_ -= static_cast<std::uint32_t>(bytes);
    return bytes;
  }
  const auto trailer = load_ordered<std::uint32_t>(rest.data() + body_bytes);
  if (trailer != skip_block_bytes_) {
    parsed.damage = trailer_damage(skip_offset_ + skip_block_bytes_ - kBlockTrailerBytes, trailer, skip_block_bytes_);
    return 0;
  }
  skip_bytes_ = 0;
  return body_bytes + kBlockTrailerBytes;
}

template <std::endian kOrder>
bool PcapngParser::add_interface(const Block& block, ParsedBytes& parsed) {
  if (interfaces_.size() == kCaptureInterfacesMax) {
    parsed.damage = capture_damage("interface block", block.offset,
                                   "one interface more than the " + number(kCaptureInterfacesMax) + " a file may have");
    return false;
  }
  CaptureInterface interface;
  interface.link_type = load<std::uint16_t, kOrder>(block.body.data());
  interface.snap_bytes = load<std::uint32_t, kOrder>(block.body.data() + 4);
  const InterfaceOptions options = parse_interface_options<kOrder>(block.body.subspan(kInterfaceHeaderBytes));
  interface.name = options.name.substr(0, kCaptureNameBytesMax);
  interface.fcs_bytes = options.fcs_bytes;
  interface.time = TimeScale(options.time_resolution, options.time_offset_s);
  interfaces_.push_back(std::move(interface));
  return true;
}

template <std::endian kOrder>
bool PcapngParser::read_packet(const Block& block, CaptureFrame& frame, ParsedBytes& parsed) const {
  const std::byte* at = block.body.data();
  const std::uint32_t interface =
      block.type == kObsoletePacket ? load<std::uint16_t, kOrder>(at) : load<std::uint32_t, kOrder>(at);
  const auto time_high = load<std::uint32_t, kOrder>(at + 4);
  const auto time_low = load<std::uint32_t, kOrder>(at + 8);
  const auto captured_bytes = load<std::uint32_t, kOrder>(at + 12);
  const std::size_t data_bytes_max = std::min(block.body.size() - kPacketHeaderBytes, kCaptureFrameBytesMax);
  if (interface >= interfaces_.size() - section_interface_) [[unlikely]] {
    parsed.damage = capture_damage("packet block", block.offset,
                                   "interface " + number(interface) + ", expected one of the section's " +
                                       number(interfaces_.size() - section_interface_));
    return false;
  }
  if (captured_bytes > data_bytes_max) [[unlikely]] {
    parsed.damage =
        capture_damage("packet block", block.offset,
                       "captured length " + number(captured_bytes) + ", expected at most " + number(data_bytes_max));
    return false;
  }
  const std::size_t index = section_interface_ + interface;
  frame = {.bytes = {at + kPacketHeaderBytes, captured_bytes},
           .wire_bytes = load<std::uint32_t, kOrder>(at + 16),
           .link_type = interfaces_[index].link_type,
           .interface = static_cast<std::uint32_t>(index),
           .timestamp_ns = interfaces_[index].time.to_ns(std::uint64_t{time_high} << 32 | time_low),
           .has_time = true};
  return true;
}

// It names neither interface nor captured length: interface 0, and the shortest of what the file says elsewhere.
template <std::endian kOrder>
bool PcapngParser::read_simple_packet(const Block& block, CaptureFrame& frame, ParsedBytes& parsed) const {
  if (interfaces_.size() == section_interface_) {
    parsed.damage =
        capture_damage("simple packet block", block.offset, "no interface described before it in its section");
    return false;
  }
  const CaptureInterface& interface = interfaces_[section_interface_];
  const auto wire_bytes = load<std::uint32_t, kOrder>(block.body.data());
  const Bytes room = block.body.subspan(kSimplePacketHeaderBytes);
  std::size_t captured_bytes = std::min<std::size_t>(wire_bytes, room.size());
  if (interface.snap_bytes != 0) captured_bytes = std::min<std::size_t>(captured_bytes, interface.snap_bytes);
  if (captured_bytes > kCaptureFrameBytesMax) {
    parsed.damage = capture_damage(
        "simple packet block", block.offset,
        "captured length " + number(captured_bytes) + ", expected at most " + number(kCaptureFrameBytesMax));
    return false;
  }
  frame = {.bytes = room.first(captured_bytes),
           .wire_bytes = wire_bytes,
           .link_type = interface.link_type,
           .interface = static_cast<std::uint32_t>(section_interface_),
           .timestamp_ns = 0,
           .has_time = false};
  return true;
}

std::optional<Error> PcapngParser::damage_at_end(Bytes rest, std::uint64_t offset) const {
  if (skip_bytes_ > 0) {
    return capture_cut_short("block", skip_offset_, skip_block_bytes_ - skip_bytes_ + rest.size(), skip_block_bytes_);
  }
  if (rest.empty()) return {};
  if (rest.size() < kBlockBytesMin) return capture_cut_short("block header", offset, rest.size(), kBlockBytesMin);
  if (load<std::uint32_t, std::endian::big>(rest.data()) == kSectionHeader) {
    return capture_cut_short("section header", offset, rest.size(), kBlockBytesMin + kSectionHeaderBytes);
  }
  return capture_cut_short("block", offset, rest.size(), load_ordered<std::uint32_t>(rest.data() + 4));
}

}  // namespace vif::net
