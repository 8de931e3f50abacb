// SPDX-License-Identifier: BSD-2-Clause
// TFTP messages: what a client that reads a file sends, and what it reads of a server's (RFC 1350, 5; options: RFC
// 2347, RFC 2348, RFC 2349). The only place that knows their form. Plain values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::net::inet {

inline constexpr std::uint16_t kTftpPort = 69;        // RFC 1350, 4
inline constexpr std::size_t kTftpBlockBytes = 512;   // RFC 1350, 2: unless another size was agreed on
inline constexpr std::size_t kTftpBlockBytesMin = 8;  // RFC 2348
inline constexpr std::size_t kTftpBlockBytesMax = 65'464;
inline constexpr std::size_t kTftpHeaderBytes = 4;  // of a block

enum class TftpError : std::uint16_t {  // RFC 1350, appendix; the last: RFC 2347
  undefined = 0,
  not_found = 1,
  access_violation = 2,
  disk_full = 3,
  illegal_operation = 4,
  unknown_transfer = 5,
  refused_options = 8,
};

// A request for a file as it is ("octet").
struct TftpRequest {
  std::string file;               // without NUL
  std::uint16_t block_bytes = 0;  // 0: no options at all
  std::uint8_t timeout_s = 1;     // when the server shall send again; 1..255

  VIF_API std::vector<std::byte> store() const;
};

VIF_API std::array<std::byte, kTftpHeaderBytes> store_tftp_ack(std::uint16_t block);
VIF_API std::vector<std::byte> store_tftp_error(TftpError error, std::string_view text);

// What a server says.
struct TftpReply {
  static constexpr std::size_t kTextMax = 128;  // of an error's text, more is not kept

  enum class Kind : std::uint8_t { data, error, options } kind = Kind::data;
  std::uint16_t block = 0;  // data
  Bytes data;               // of the message that was parsed
  TftpError error = TftpError::undefined;
  std::string text;  // printable ASCII
  // What it agreed to; nullopt: it did not name it.
  std::optional<std::uint64_t> block_bytes, file_bytes, timeout_s;

  // Nullopt: nothing that a server says to a reader, an option that was never asked for or twice, or no number.
  VIF_API static std::optional<TftpReply> parse(Bytes message);
};

}  // namespace vif::net::inet
