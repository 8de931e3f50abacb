// SPDX-License-Identifier: BSD-2-Clause
// Builds capture files byte by byte, in either byte order, right or wrong as the test wants. Knows nothing of the code
// under test: the numbers are those of the format drafts. Single-threaded.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "netstack/base/bytes.hpp"

namespace vif::test {

class FileBytes {
 public:
  explicit FileBytes(std::endian order = std::endian::little) : order_(order) {}

  FileBytes& u8(std::uint8_t value) { return bytes_.push_back(std::byte{value}), *this; }
  FileBytes& u16(std::uint16_t value) { return number(value, 2); }
  FileBytes& u32(std::uint32_t value) { return number(value, 4); }
  FileBytes& u64(std::uint64_t value) { return number(value, 8); }
  FileBytes& text(std::string_view text) {
    for (const char letter : text) u8(static_cast<std::uint8_t>(letter));
    return *this;
  }
  FileBytes& fill(std::size_t count, std::uint8_t value = 0) {
    bytes_.insert(bytes_.end(), count, std::byte{value});
    return *this;
  }
  FileBytes& add(const FileBytes& more) {
    bytes_.insert(bytes_.end(), more.bytes_.begin(), more.bytes_.end());
    return *this;
  }
  FileBytes& pad4() { return fill((4 - bytes_.size() % 4) % 4); }
  void cut(std::size_t bytes) { bytes_.resize(bytes); }

  // Classic pcap.
  FileBytes& pcap_header(std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link_type = 1, std::uint16_t minor = 4,
                         std::uint16_t major = 2) {
    return u32(magic).u16(major).u16(minor).u32(0).u32(0).u32(65535).u32(link_type);
  }
  FileBytes& pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view data,
                         std::uint32_t wire_bytes = 0) {
    const auto captured = static_cast<std::uint32_t>(data.size());
    return u32(seconds).u32(fraction).u32(captured).u32(wire_bytes ? wire_bytes : captured).text(data);
  }

  // pcapng. A block's body is padded and its length filled in.
  FileBytes empty() const { return FileBytes(order_); }
  FileBytes& block(std::uint32_t type, FileBytes body) {
    body.pad4();
    const auto total = static_cast<std::uint32_t>(body.bytes_.size() + 12);
    return u32(type).u32(total).add(body).u32(total);
  }
  FileBytes& section(std::uint16_t major = 1, std::uint16_t minor = 0, std::uint64_t length = ~std::uint64_t{0}) {
    return block(0x0a0d0d0a, empty().u32(0x1a2b3c4d).u16(major).u16(minor).u64(length));
  }
  FileBytes& interface(std::uint16_t link_type = 1, std::uint32_t snap_bytes = 0) {
    return interface(link_type, snap_bytes, empty());
  }
  FileBytes& interface(std::uint16_t link_type, std::uint32_t snap_bytes, const FileBytes& options) {
    return block(1, empty().u16(link_type).u16(0).u32(snap_bytes).add(options));
  }
  FileBytes& option(std::uint16_t code, const FileBytes& value) {
    return u16(code).u16(static_cast<std::uint16_t>(value.bytes_.size())).add(value).pad4();
  }
  FileBytes& packet(std::uint32_t interface_id, std::uint64_t time, std::string_view data,
                    std::uint32_t wire_bytes = 0) {
    const auto captured = static_cast<std::uint32_t>(data.size());
    FileBytes body = empty();
    body.u32(interface_id).u32(static_cast<std::uint32_t>(time >> 32)).u32(static_cast<std::uint32_t>(time));
    return block(6, body.u32(captured).u32(wire_bytes ? wire_bytes : captured).text(data));
  }
  FileBytes& obsolete_packet(std::uint16_t interface_id, std::uint64_t time, std::string_view data) {
    const auto captured = static_cast<std::uint32_t>(data.size());
    FileBytes body = empty();
    body.u16(interface_id).u16(7).u32(static_cast<std::uint32_t>(time >> 32)).u32(static_cast<std::uint32_t>(time));
    return block(2, body.u32(captured).u32(captured).text(data));
  }
  FileBytes& simple_packet(std::uint32_t wire_bytes, std::string_view data) {
    return block(3, empty().u32(wire_bytes).text(data));
  }

  operator Bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  FileBytes& number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      const int shift = 8 * (order_ == std::endian::little ? i : bytes - 1 - i);
      u8(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }

  std::endian order_;
  std::vector<std::byte> bytes_;
};

}  // namespace vif::test
