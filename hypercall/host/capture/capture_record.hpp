// SPDX-License-Identifier: BSD-2-Clause
// What virtifd sends to a client that captures, after the answer to `capture`: records, one behind the other. Both ends
// are here; docs/protocol.md has the layout for others. Plain values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

struct CaptureRecord {
  enum class Kind : std::uint8_t {
    frame,    // `body` is the frame, or its beginning
    stopped,  // the interface is listened to no more: as asked. `body` is a CaptureTally
    gone,     // because it is gone
  };

  Kind kind = Kind::frame;
  bool outbound = false;
  std::uint16_t interface = 0;   // which of those in the answer
  std::int64_t time_ns = 0;      // since 1970-01-01 UTC
  std::uint32_t wire_bytes = 0;  // how long the frame was
  std::uint32_t lost = 0;        // frames of this interface that found no room since its last record
  Bytes body = {};
};

// What came of an interface's frames: seen = matched + refused by the filter; matched = sent + lost.
struct CaptureTally {
  std::uint64_t seen = 0, matched = 0, lost = 0;
};

inline constexpr std::size_t kCaptureHeadBytes = 24;
inline constexpr std::size_t kCaptureBodyBytesMax = 262'144;  // of pcapng's frames
inline constexpr std::size_t kCaptureTallyBytes = 24;

// Its head, for `body_bytes` that follow.
std::array<std::byte, kCaptureHeadBytes> capture_head(const CaptureRecord& record, std::size_t body_bytes);
std::array<std::byte, kCaptureTallyBytes> tally_bytes(const CaptureTally& tally);

// The record at the front of `input`, of kCaptureHeadBytes and its body's; nullopt: more input is needed. EPROTO: that
// is no record; `interfaces` is how many there are.
Result<std::optional<CaptureRecord>> parse_capture_record(Bytes input, std::size_t interfaces);
// Of a record that is no frame.
CaptureTally tally_of(const CaptureRecord& record);

}  // namespace vif::host
