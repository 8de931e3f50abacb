// SPDX-License-Identifier: BSD-2-Clause
// The buffer always has room for one more record of the largest kind; it is emptied once it holds a full append.
#include "netstack/capture/capture_writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "netstack/capture/pcap_format.hpp"
#include "netstack/capture/pcapng_format.hpp"

namespace vif::net {
namespace {

constexpr std::size_t kAppendBytes = 256 * 1024;
constexpr std::size_t kMarksBytesMax = 3 * pcapng::kOptionHeaderBytes + sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kRecordBytesMax = pcapng::kBlockBytesMin + pcapng::kPacketHeaderBytes + kCaptureFrameBytesMax +
                                        kMarksBytesMax + pcapng::kOptionHeaderBytes + CaptureDescription::kTextBytesMax;
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

std::int64_t not_negative(std::int64_t time_ns) { return std::max<std::int64_t>(time_ns, 0); }

// The two halves of a time, the high one first.
void put_time(std::byte* to, std::int64_t time_ns) {
  put32(to, static_cast<std::uint32_t>(time_ns >> 32));
  put32(to + 4, static_cast<std::uint32_t>(time_ns & 0xffffffff));
}

// The options of a block, as its body ends.
class OptionList {
 public:
  void add(pcapng::OptionCode code, Bytes value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + pcapng::kOptionHeaderBytes + pcapng::padded(value.size()));
    put16(&bytes_[at], code);
    put16(&bytes_[at + 2], static_cast<std::uint16_t>(value.size()));
    put_bytes(&bytes_[at + pcapng::kOptionHeaderBytes], value);
  }
  void add_text(pcapng::OptionCode code, std::string_view text) {
    if (!text.empty()) add(code, as_bytes(text.substr(0, CaptureDescription::kTextBytesMax)));
  }
  void add_number(pcapng::OptionCode code, std::uint64_t value) {
    std::array<std::byte, sizeof value> bytes;
    store<std::uint64_t, std::endian::little>(bytes.data(), value);
    add(code, bytes);
  }
  void add_time(pcapng::OptionCode code, std::int64_t time_ns) {
    std::array<std::byte, sizeof time_ns> bytes;
    put_time(bytes.data(), not_negative(time_ns));
    add(code, bytes);
  }
  Bytes end() {
    add(pcapng::kEndOfOptions, {});
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

OptionList options_of(const CaptureDescription& description) {
  OptionList options;
  options.add_text(pcapng::kComment, description.comment);
  options.add_text(pcapng::kIfName, description.name);
  if (description.address) options.add(pcapng::kIfMacAddress, std::as_bytes(std::span(description.address->octets)));
  const std::byte resolution{kNanoseconds};
  options.add(pcapng::kIfTimeResolution, {&resolution, 1});
  if (!description.filter.empty()) {
    options.add_text(pcapng::kIfFilter, std::string(1, '\0').append(description.filter));
  }
  return options;
}

std::string_view comment_of(const CaptureMarks& marks) {
  return marks.comment.substr(0, CaptureDescription::kTextBytesMax);
}

std::size_t marks_bytes(const CaptureMarks& marks) {
  if (marks.direction == CaptureMarks::Direction::unknown && marks.lost == 0 && marks.comment.empty()) return 0;
  const std::size_t comment = comment_of(marks).size();
  return (marks.lost == 0 ? kMarksBytesMax - pcapng::kOptionHeaderBytes - sizeof(std::uint64_t) : kMarksBytesMax) +
         (comment == 0 ? 0 : pcapng::kOptionHeaderBytes + pcapng::padded(comment));
}

// By hand, for every frame has them.
void put_marks(std::byte* to, const CaptureMarks& marks) {
  if (const std::string_view comment = comment_of(marks); !comment.empty()) {
    put16(to, pcapng::kComment);
    put16(to + 2, static_cast<std::uint16_t>(comment.size()));
    to += pcapng::kOptionHeaderBytes;
    std::fill_n(std::copy(as_bytes(comment).begin(), as_bytes(comment).end(), to),
                pcapng::padded(comment.size()) - comment.size(), std::byte{0});
    to += pcapng::padded(comment.size());
  }
  put16(to, pcapng::kPacketFlags);
  put16(to + 2, sizeof(std::uint32_t));
  put32(to + 4, static_cast<std::uint32_t>(marks.direction));
  to += pcapng::kOptionHeaderBytes + sizeof(std::uint32_t);
  if (marks.lost != 0) {
    put16(to, pcapng::kPacketDropCount);
    put16(to + 2, sizeof(std::uint64_t));
    store<std::uint64_t, std::endian::little>(to + 4, marks.lost);
    to += pcapng::kOptionHeaderBytes + sizeof(std::uint64_t);
  }
  put32(to, pcapng::kEndOfOptions);
}

}  // namespace

CaptureWriter::CaptureWriter(ByteSink& sink, CaptureFormat format)
    : sink_(sink), format_(format), buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferBytes)) {
  if (format_ == CaptureFormat::pcapng) put_section_header();
}

Result<std::uint32_t> CaptureWriter::add_interface(const CaptureDescription& description) {
  const std::uint32_t link_type = description.link_type;
  if (error_) return *error_;
  if (link_type > kLinkTypeMax) {
    return fail(std::errc::invalid_argument, "link type " + std::to_string(link_type) + " is above 65535");
  }
  if (description.name.size() > kCaptureNameBytesMax) {
    return fail(std::errc::filename_too_long, "an interface name of " + std::to_string(description.name.size()) +
                                                  " bytes, expected at most " + std::to_string(kCaptureNameBytesMax));
  }
  if (link_types_.size() == kCaptureInterfacesMax) {
    return fail(std::errc::value_too_large, "a capture file has at most 65536 interfaces");
  }
  if (format_ == CaptureFormat::pcapng) {
    put_interface(description);
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

Status CaptureWriter::write(const CaptureFrame& frame, const CaptureMarks& marks) {
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
  const bool is_simple =
      !frame.has_time && frame.interface == 0 && frame.wire_bytes == frame.bytes.size() && marks_bytes(marks) == 0;
  if (format_ == CaptureFormat::pcap) put_pcap(frame);
  else if (is_simple) put_simple(frame);
  else put_enhanced(frame, marks);
  return flush_if_full();
}

Status CaptureWriter::write(std::uint32_t interface, const CaptureStatistics& statistics) {
  if (error_) return *error_;
  if (interface >= link_types_.size()) {
    return fail(std::errc::invalid_argument, "statistics of interface " + std::to_string(interface) + ", only " +
                                                 std::to_string(link_types_.size()) + " were added");
  }
  if (format_ == CaptureFormat::pcap) return {};
  OptionList options;
  options.add_time(pcapng::kStatisticsBegin, statistics.begun_ns);
  options.add_time(pcapng::kStatisticsEnd, statistics.ended_ns);
  if (statistics.seen) options.add_number(pcapng::kStatisticsReceived, *statistics.seen);
  options.add_number(pcapng::kStatisticsDropped, statistics.dropped);
  options.add_number(pcapng::kStatisticsFilterAccept, statistics.matched);
  options.add_number(pcapng::kStatisticsDelivered, statistics.delivered);
  const Bytes list = options.end();
  std::byte* at = begin_block(pcapng::kInterfaceStatistics, pcapng::kStatisticsHeaderBytes + list.size());
  put32(at, interface);
  put_time(at + 4, not_negative(statistics.ended_ns));
  put_bytes(at + pcapng::kStatisticsHeaderBytes, list);
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
  if (appended) appended_bytes_ += buffered_bytes_;
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
  OptionList options;
  options.add_text(pcapng::kSectionUserApplication, kUserApplication);
  const Bytes list = options.end();
  std::byte* at = begin_block(pcapng::kSectionHeader, pcapng::kSectionHeaderBytes + list.size());
  put32(at, pcapng::kByteOrderMagic);
  put16(at + 4, pcapng::kVersionMajor);
  put16(at + 6, 0);
  store<std::uint64_t, std::endian::little>(at + 8, ~std::uint64_t{0});  // section length: not stated
  put_bytes(at + pcapng::kSectionHeaderBytes, list);
}

void CaptureWriter::put_interface(const CaptureDescription& description) {
  OptionList options = options_of(description);
  const Bytes list = options.end();
  std::byte* at = begin_block(pcapng::kInterfaceDescription, pcapng::kInterfaceHeaderBytes + list.size());
  put16(at, static_cast<std::uint16_t>(description.link_type));
  put16(at + 2, 0);
  put32(at + 4, description.snap_bytes);
  put_bytes(at + pcapng::kInterfaceHeaderBytes, list);
}

void CaptureWriter::put_enhanced(const CaptureFrame& frame, const CaptureMarks& marks) {
  const std::size_t data_bytes = pcapng::padded(frame.bytes.size()), options_bytes = marks_bytes(marks);
  std::byte* at = begin_block(pcapng::kEnhancedPacket, pcapng::kPacketHeaderBytes + data_bytes + options_bytes);
  put32(at, frame.interface);
  put_time(at + 4, frame.has_time ? not_negative(frame.timestamp_ns) : 0);
  put32(at + 12, word(frame.bytes.size()));
  put32(at + 16, frame.wire_bytes);
  put_padded(at + pcapng::kPacketHeaderBytes, frame.bytes);
  if (options_bytes > 0) put_marks(at + pcapng::kPacketHeaderBytes + data_bytes, marks);
}

void CaptureWriter::put_simple(const CaptureFrame& frame) {
  std::byte* at =
      begin_block(pcapng::kSimplePacket, pcapng::kSimplePacketHeaderBytes + pcapng::padded(frame.bytes.size()));
  put32(at, frame.wire_bytes);
  put_padded(at + pcapng::kSimplePacketHeaderBytes, frame.bytes);
}

}  // namespace vif::net
