// SPDX-License-Identifier: BSD-2-Clause
// read(2)-sized pieces into one reused buffer beat mmap (no page faults, no SIGBUS when a file shrinks) and stay in the
// cache. Only the beginning of a record that has not arrived whole is ever moved.
#include "netstack/capture/capture_reader.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "netstack/capture/pcap_format.hpp"

namespace vif::net {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kMagicBytes = 4;

// Parsers leave at most one record undone, so a whole read always fits behind it.
constexpr std::size_t kRecordBytesMax =
    std::max(PcapngParser::kBlockBytesMax, pcap::kModifiedRecordHeaderBytes + kCaptureFrameBytesMax);
constexpr std::size_t kBufferBytes = kReadBytes + kRecordBytesMax;

constexpr const char* kFormats =
    "expected pcap (magic a1b2c3d4, a1b23c4d or a1b2cd34 in either byte order) or pcapng (0a0d0d0a)";

Error not_a_capture(Bytes start) {
  if (start.empty()) return fail(std::errc::invalid_argument, std::string("the file is empty: ") + kFormats);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string found;
  for (const std::byte byte : start.first(std::min(start.size(), kMagicBytes))) {
    found += kDigits[std::to_integer<unsigned>(byte >> 4)];
    found += kDigits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return fail(std::errc::invalid_argument, "not a capture file, it begins with " + found + ": " + kFormats);
}

}  // namespace

CaptureReader::CaptureReader(ByteSource& source)
    : source_(&source), buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferBytes)) {}

Result<CaptureReader> CaptureReader::open(ByteSource& source) {
  CaptureReader reader(source);
  if (Status opened = reader.open_format(); !opened) return std::move(opened).error();
  return reader;
}

Status CaptureReader::open_format() {
  while (end_ < kMagicBytes && !source_ended_) {
    if (Status read = refill(); !read) return read;
  }
  if (end_ < kMagicBytes) return not_a_capture(unparsed());
  if (PcapParser::recognises(unparsed())) return open_pcap();
  if (!PcapngParser::recognises(unparsed())) return not_a_capture(unparsed());
  for (;;) {
    if (parse({}).frames_full) return {};
    if (!error_ && source_ended_) end();
    if (error_) return *error_;
    if (source_ended_) return {};
    if (Status read = refill(); !read) return read;
  }
}

Status CaptureReader::open_pcap() {
  while (end_ < pcap::kFileHeaderBytes && !source_ended_) {
    if (Status read = refill(); !read) return read;
  }
  Result<PcapParser> parser = PcapParser::open(unparsed());
  if (!parser) return parser.error();
  parser_ = std::move(*parser);
  begin_ += pcap::kFileHeaderBytes;
  begin_offset_ += pcap::kFileHeaderBytes;
  return {};
}

Result<std::size_t> CaptureReader::read(std::span<CaptureFrame> into) {
  assert(!into.empty());
  for (;;) {
    if (error_) return *error_;
    const ParsedBytes parsed = parse(into);
    if (parsed.frames > 0) return parsed.frames;
    if (!error_ && source_ended_) end();
    if (error_) return *error_;
    if (source_ended_) return std::size_t{0};
    if (Status read = refill(); !read) return std::move(read).error();
  }
}

ParsedBytes CaptureReader::parse(std::span<CaptureFrame> into) {
  const auto pass = [&](auto& parser) { return parser.parse(unparsed(), begin_offset_, into); };
  ParsedBytes parsed = std::visit(pass, parser_);
  begin_ += parsed.bytes_done;
  begin_offset_ += parsed.bytes_done;
  if (parsed.damage) error_ = parsed.damage;
  return parsed;
}

// One more piece from the source behind what is not parsed yet. Moves the buffer: frames handed out are gone.
Status CaptureReader::refill() {
  assert(end_ - begin_ <= kRecordBytesMax);
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const Result<std::size_t> bytes = source_->read({buffer_.get() + end_, kReadBytes});
  if (!bytes) {
    const int number = bytes.error().number();
    const std::string offset = std::to_string(begin_offset_ + end_);
    const Error error = fail(number, "reading at byte " + offset + ": " + bytes.error().text);
    if (number != EAGAIN) error_ = error;
    return error;
  }
  assert(*bytes <= kReadBytes);
  if (*bytes == 0) source_ended_ = true;
  end_ += *bytes;
  return {};
}

// Nothing more comes: what is left must be nothing.
void CaptureReader::end() {
  error_ = std::visit([&](const auto& parser) { return parser.damage_at_end(unparsed(), begin_offset_); }, parser_);
}

CaptureFormat CaptureReader::format() const {
  return std::holds_alternative<PcapParser>(parser_) ? CaptureFormat::pcap : CaptureFormat::pcapng;
}

std::span<const CaptureInterface> CaptureReader::interfaces() const {
  return std::visit([](const auto& parser) { return parser.interfaces(); }, parser_);
}

}  // namespace vif::net
