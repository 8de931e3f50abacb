// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/capture/capture_record.hpp"

#include <cassert>

namespace vif::host {
namespace {

template <class T>
void put(std::byte* to, T value) {
  store<T, std::endian::little>(to, value);
}
template <class T>
T get(const std::byte* from) {
  return load<T, std::endian::little>(from);
}

}  // namespace

std::array<std::byte, kCaptureHeadBytes> capture_head(const CaptureRecord& record, std::size_t body_bytes) {
  std::array<std::byte, kCaptureHeadBytes> head;
  put(&head[0], static_cast<std::uint32_t>(body_bytes));
  head[4] = static_cast<std::byte>(record.kind);
  head[5] = static_cast<std::byte>(record.outbound);
  put(&head[6], record.interface);
  put(&head[8], static_cast<std::uint64_t>(record.time_ns));
  put(&head[16], record.wire_bytes);
  put(&head[20], record.lost);
  return head;
}

std::array<std::byte, kCaptureTallyBytes> tally_bytes(const CaptureTally& tally) {
  std::array<std::byte, kCaptureTallyBytes> bytes;
  put(&bytes[0], tally.seen);
  put(&bytes[8], tally.matched);
  put(&bytes[16], tally.lost);
  return bytes;
}

Result<std::optional<CaptureRecord>> parse_capture_record(Bytes input, std::size_t interfaces) {
  if (input.size() < kCaptureHeadBytes) return std::optional<CaptureRecord>();
  const std::byte* const at = input.data();
  const auto body_bytes = get<std::uint32_t>(at);
  const auto kind = std::to_integer<std::uint8_t>(at[4]);
  const auto direction = std::to_integer<std::uint8_t>(at[5]);
  CaptureRecord record{.kind = static_cast<CaptureRecord::Kind>(kind),
                       .outbound = direction == 1,
                       .interface = get<std::uint16_t>(at + 6),
                       .time_ns = static_cast<std::int64_t>(get<std::uint64_t>(at + 8)),
                       .wire_bytes = get<std::uint32_t>(at + 16),
                       .lost = get<std::uint32_t>(at + 20)};
  const bool is_frame = kind == 0;
  const bool fits = is_frame ? body_bytes <= kCaptureBodyBytesMax : body_bytes == kCaptureTallyBytes;
  if (kind > 2 || direction > 1 || record.interface >= interfaces || !fits) {
    return fail(EPROTO, "this is no virtifd: a record of a captured frame was expected");
  }
  if (input.size() - kCaptureHeadBytes < body_bytes) return std::optional<CaptureRecord>();
  record.body = input.subspan(kCaptureHeadBytes, body_bytes);
  return std::optional(record);
}

CaptureTally tally_of(const CaptureRecord& record) {
  assert(record.body.size() == kCaptureTallyBytes);
  const std::byte* const at = record.body.data();
  return {.seen = get<std::uint64_t>(at), .matched = get<std::uint64_t>(at + 8), .lost = get<std::uint64_t>(at + 16)};
}

}  // namespace vif::host
