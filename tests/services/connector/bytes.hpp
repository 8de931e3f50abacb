// SPDX-License-Identifier: BSD-2-Clause
// Messages and events as bytes, and what a subscriber has been given.
#pragma once

#include <string>
#include <vector>

#include "services/connector/bus.hpp"
#include "services/connector/extension.hpp"

namespace vif::cn::test {

using ByteVector = std::vector<std::byte>;

template <class... Words>
ByteVector words(Words... values) {
  const std::uint32_t numbers[] = {static_cast<std::uint32_t>(values)...};
  const Bytes bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

inline ByteVector message_bytes(const Message& message) {
  ByteVector bytes(message.bytes());
  write_message(message, bytes.data());
  return bytes;
}

inline ByteVector datagram_bytes(const Message& message) {
  ByteVector bytes(kNetlinkHeaderBytes + message.bytes());
  write_datagram(message, bytes.data());
  return bytes;
}

// All that waits, a word each: "lost 3", the payload as text, or an event's name.
struct Got {
  std::uint64_t lost = 0, sequence = 0;
  ByteVector bytes;
  Message message() const { return read_message(bytes).value_or(Message{}); }
  ProcEvent event() const { return read_proc_event(message().payload).value_or(ProcEvent{}); }
  Extension extension() const {
    const Bytes payload = message().payload;
    return payload.size() > kProcEventBytes ? read_extension(payload.subspan(kProcEventBytes)) : Extension{};
  }
};

inline std::vector<Got> take_all(RecordRing& ring) {
  std::vector<Got> all;
  for (;;) {
    const auto next = ring.read();
    if (const auto* lost = std::get_if<Lost>(&next)) all.push_back({.lost = lost->count, .bytes = {}});
    else if (const auto* record = std::get_if<Record>(&next)) {
      all.push_back({.sequence = record->sequence, .bytes = {record->bytes.begin(), record->bytes.end()}});
    } else return all;
  }
}
inline std::vector<Got> take_all(Subscriber& subscriber) { return take_all(subscriber.ring()); }

// "FORK EXEC LOST(3) EXIT"
inline std::string names(const std::vector<Got>& all) {
  std::string text;
  for (const Got& got : all) {
    if (!text.empty()) text += " ";
    if (got.lost > 0) text += "LOST(" + std::to_string(got.lost) + ")";
    else text += name(got.event().what);
  }
  return text;
}

}  // namespace vif::cn::test
