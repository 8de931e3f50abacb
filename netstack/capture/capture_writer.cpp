// SPDX-License-Identifier: BSD-2-Clause
// The buffer always has room for one more record of the largest kind; it is emptied once it holds a full append.
#include "netstack/capture/capture_writer.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "netstack/capture/pcap_format.hpp"
#include "netstack/capture/pcapng_format.hpp"

namespace vif::net {
namespace {

constexpr std::size_t kAppendBytes = 256 * 1024;
constexpr std::size_t kRecordBytesMax = pcapng::kBlockBytesMin + pcapng::kPacketHeaderBytes + kCaptureFrameBytesMax;
constexpr std::size_t kBufferBytes = kAppendBytes + kRecordBytesMax;

constexpr std::uint32_t kLinkTypeMax = 0xffff;  // the field of an interface description has 16 bits
constexpr std::int64_t kNsPerS = 1'000'000'000;
constexpr std::int64_t kPcapTimeMaxNs = (std::int64_t{1} << 32) * kNsPerS - 1;
constexpr std::uint8_t kNanoseconds = 9;  // if_tsresol: units of 10^-9 s
constexpr std::string_view kUserApplication = "virtif";

void put16(std::byte* to, std::uint16_t value) { store<std::uint16_t, std::endian::little>(to, value); }
void put32(std::byte* to, std::uint32_t value) { store<std::uint32_t, std::endian::little>(to, value); }

std::uint32_t word(std::size_t value) { return static_cast<std::uint32_t>(value); }

void put_bytes(std::byte* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

// Copies and fills up with zeros to a multiple of 4.
void put_padded(std::byte* to, Bytes bytes) {
  put_bytes(to, bytes);
  std::memset(to + bytes.size(), 0, pcapng::padded(bytes.size()) - bytes.size());
}

std::size_t option_bytes(std::size_t value_bytes) { return pcapng::kOptionHeaderBytes + pcapng::padded(value_bytes); }

// Returns where the next option goes.
std::byte* put_option(std::byte* to, pcapng::OptionCode code, Bytes value) {
  put16(to, code);
  put16(to + 2, static_cast<std::uint16_t>(value.size()));
  put_padded(to + pcapng::kOptionHeaderBytes, value);
  return to + option_bytes(value.size());
}

}  // namespace

CaptureWriter::CaptureWriter(ByteSink& sink, CaptureFormat format)
    : sink_(sink), format_(format), buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferBytes)) {
  if (format_ == CaptureFormat::pcapng) put_section_header();
}

Result<std::uint32_t> CaptureWriter::add_interface(std::string_view name, std::uint32_t link_type) {
  if (error_) return *error_;
  if (link_type > kLinkTypeMax) {
    return fail(std::errc::invalid_argument, "link type " + std::to_string(link_type) + " is above 65535");
  }
  if (name.size() > kCaptureNameBytesMax) {
    return fail(std::errc::filename_too_long, "an interface name of " + std::to_string(name.size()) +
                                                  " bytes, expected at most " + std::to_string(kCaptureNameBytesMax));
  }
  if (link_types_.size() == kCaptureInterfacesMax) {
    return fail(std::errc::value_too_large, "a capture file has at most 65536 interfaces");
  }
  if (format_ == CaptureFormat::pcapng) {
    put_interface(name, link_type);
  } else if (link_types_.empty()) {
    put_file_header_pcap(link_type);
  } else if (link_type != link_types_.front()) {
    return fail(std::errc::invalid_argument, "pcap holds one link type, " + std::to_string(link_types_.front()) +
                                                 "; write pcapng to add link type " + std::to_string(link_type));
  }
  link_types_.push_back(link_type);
  if (Status flushed = flush_if_full(); !flushed) return flushed.error();
  return word(link_types_.size() - 1);
}

Status CaptureWriter::write(const CaptureFrame& frame) {
  if (error_) return *error_;
  if (frame.interface >= link_types_.size()) {
    return fail(std::errc::invalid_argument, "a frame of interface " + std::to_string(frame.interface) + ", only " +
                                                 std::to_string(link_types_.size()) + " were added");
  }
  if (frame.link_type != link_types_[frame.interface]) {
    return fail(std::errc::invalid_argument, "a frame of link type " + std::to_string(frame.link_type) +
                                                 " on an interface of link type " +
                                                 std::to_string(link_types_[frame.interface]));
  }
  if (frame.bytes.size() > kCaptureFrameBytesMax) {
    return fail(std::errc::message_size, "a frame of " + std::to_string(frame.bytes.size()) +
                                             " bytes, expected at most " + std::to_string(kCaptureFrameBytesMax));
  }
  const bool is_simple = !frame.has_time && frame.interface == 0 && frame.wire_bytes == frame.bytes.size();
  if (format_ == CaptureFormat::pcap) put_pcap(frame);
  else if (is_simple) put_simple(frame);
  else put_enhanced(frame);
  return flush_if_full();
}

Status CaptureWriter::flush_if_full() {
  if (buffered_bytes_ < kAppendBytes) return {};
  return flush();
}

Status CaptureWriter::flush() {
  if (error_) return *error_;
  if (buffered_bytes_ == 0) return {};
  Status appended = sink_.append({buffer_.get(), buffered_bytes_});
  buffered_bytes_ = 0;
  if (!appended) error_ = appended.error();
  return appended;
}

std::byte* CaptureWriter::extend(std::size_t bytes) {
  std::byte* at = buffer_.get() + buffered_bytes_;
  buffered_bytes_ += bytes;
  return at;
}

void CaptureWriter::put_file_header_pcap(std::uint32_t link_type) {
  std::byte* at = extend(pcap::kFileHeaderBytes);
  put32(at, pcap::kMagicNs);
  put16(at + 4, pcap::kVersionMajor);
  put16(at + 6, pcap::kVersionMinor);
  put32(at + 8, 0);
  put32(at + 12, 0);
  put32(at + 16, word(kCaptureFrameBytesMax));
  put32(at + 20, link_type);
}

void CaptureWriter::put_pcap(const CaptureFrame& frame) {
  const std::int64_t time_ns = frame.has_time ? std::clamp<std::int64_t>(frame.timestamp_ns, 0, kPcapTimeMaxNs) : 0;
  std::byte* at = extend(pcap::kRecordHeaderBytes + frame.bytes.size());
  put32(at, static_cast<std::uint32_t>(time_ns / kNsPerS));
  put32(at + 4, static_cast<std::uint32_t>(time_ns % kNsPerS));
  put32(at + 8, word(frame.bytes.size()));
  put32(at + 12, frame.wire_bytes);
  put_bytes(at + pcap::kRecordHeaderBytes, frame.bytes);
}

// Writes header and trailer of a block; returns where its body goes. `body_bytes` is a multiple of 4.
std::byte* CaptureWriter::begin_block(std::uint32_t type, std::size_t body_bytes) {
  const std::size_t block_bytes = pcapng::kBlockBytesMin + body_bytes;
  std::byte* at = extend(block_bytes);
  put32(at, type);
  put32(at + 4, word(block_bytes));
  put32(at + pcapng::kBlockHeaderBytes + body_bytes, word(block_bytes));
  return at + pcapng::kBlockHeaderBytes;
}

void CaptureWriter::put_section_header() {
  std::byte* at = begin_block(pcapng::kSectionHeader,
                              pcapng::kSectionHeaderBytes + option_bytes(kUserApplication.size()) + option_bytes(0));
  put32(at, pcapng::kByteOrderMagic);
  put16(at + 4, pcapng::kVersionMajor);
  put16(at + 6, 0);
  store<std::uint64_t, std::endian::little>(at + 8, ~std::uint64_t{0});  // section length: not stated
  at = put_option(at + pcapng::kSectionHeaderBytes, pcapng::kSectionUserApplication, as_bytes(kUserApplication));
  put_option(at, pcapng::kEndOfOptions, {});
}

void CaptureWriter::put_interface(std::string_view name, std::uint32_t link_type) {
  const std::size_t name_bytes = name.empty() ? 0 : option_bytes(name.size());
  std::byte* at = begin_block(pcapng::kInterfaceDescription,
                              pcapng::kInterfaceHeaderBytes + name_bytes + option_bytes(1) + option_bytes(0));
  put16(at, static_cast<std::uint16_t>(link_type));
  put16(at + 2, 0);
  put32(at + 4, word(kCaptureFrameBytesMax));
  at += pcapng::kInterfaceHeaderBytes;
  if (!name.empty()) at = put_option(at, pcapng::kIfName, as_bytes(name));
  const std::byte resolution{kNanoseconds};
  at = put_option(at, pcapng::kIfTimeResolution, {&resolution, 1});
  put_option(at, pcapng::kEndOfOptions, {});
}

void CaptureWriter::put_enhanced(const CaptureFrame& frame) {
  const std::int64_t time_ns = frame.has_time ? std::max<std::int64_t>(frame.timestamp_ns, 0) : 0;
  std::byte* at = begin_block(pcapng::kEnhancedPacket, pcapng::kPacketHeaderBytes + pcapng::padded(frame.bytes.size()));
  put32(at, frame.interface);
  put32(at + 4, static_cast<std::uint32_t>(time_ns >> 32));
  put32(at + 8, static_cast<std::uint32_t>(time_ns & 0xffffffff));
  put32(at + 12, word(frame.bytes.size()));
  put32(at + 16, frame.wire_bytes);
  put_padded(at + pcapng::kPacketHeaderBytes, frame.bytes);
}

void CaptureWriter::put_simple(const CaptureFrame& frame) {
  std::byte* at =
      begin_block(pcapng::kSimplePacket, pcapng::kSimplePacketHeaderBytes + pcapng::padded(frame.bytes.size()));
  put32(at, frame.wire_bytes);
  put_padded(at + pcapng::kSimplePacketHeaderBytes, frame.bytes);
}

}  // namespace vif::net
