// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/ctf_writer.hpp"

#include <algorithm>
#include <array>

#include "services/trace/field_value.hpp"
#include "services/trace/identifiers.hpp"

namespace vif::trace {
namespace {

constexpr std::size_t kPacketBytesMax = 64 * 1024;  // of events; a longer packet is begun with its last event
constexpr std::uint32_t kMagic = 0xc1fc1fc1;        // CTF 1.8.3, 5.1

// What no event has of its own. CTF 1.8.3, appendix B; a leading underscore of a name is not the name's.
constexpr const char* kPreamble = R"(/* CTF 1.8 */
typealias integer { size = 8; align = 8; signed = false; } := u8;
typealias integer { size = 16; align = 8; signed = false; } := u16;
typealias integer { size = 32; align = 8; signed = false; } := u32;
typealias integer { size = 64; align = 8; signed = false; } := u64;
typealias integer { size = 8; align = 8; signed = true; } := s8;
typealias integer { size = 16; align = 8; signed = true; } := s16;
typealias integer { size = 32; align = 8; signed = true; } := s32;
typealias integer { size = 64; align = 8; signed = true; } := s64;
trace {
  major = 1; minor = 8; byte_order = le;
  packet.header := struct { u32 magic; u32 stream_id; };
};
clock { name = monotonic; freq = 1000000000; };
typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } := time;
stream {
  id = 0;
  packet.context := struct {
    time timestamp_begin; time timestamp_end; u64 content_size; u64 packet_size; u64 events_discarded; u32 cpu_id;
  };
  event.header := struct { u16 id; time timestamp; };
  event.context := struct { s32 _pid; };
};
)";

template <class T>
void put(std::string& to, T value) {
  std::array<std::byte, sizeof value> bytes;
  store<T, std::endian::little>(bytes.data(), value);
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// Inside quotes.
std::string quoted(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += static_cast<unsigned char>(c) < ' ' ? '_' : c;
  }
  return text;
}

bool is_number(const Field& field) { return field.kind == FieldKind::number; }
bool is_text(const Field& field) { return field.kind == FieldKind::text || field.is_dynamic_text(); }

std::string declaration(const Field& field, const std::string& name, const std::string& length) {
  if (is_text(field)) return "string _" + name + ';';
  if (!is_number(field)) return "u16 _" + length + "; u8 _" + name + "[_" + length + "];";
  return (field.is_signed ? "s" : "u") + std::to_string(8 * field.size) + " _" + name + ';';
}

// The fields, and in front of each sequence how long it is: under names that no two have.
std::string declarations(const std::vector<Field>& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  for (const Field& field : fields) {
    if (!is_text(field) && !is_number(field)) names.push_back(field.name + "_bytes");
  }
  const std::vector<std::string> known = identifiers(names);
  std::string text;
  std::size_t length = fields.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool has_length = !is_text(fields[i]) && !is_number(fields[i]);
    text += ' ' + declaration(fields[i], known[i], has_length ? known[length++] : std::string());
  }
  return text;
}

void put_value(std::string& to, const Field& field, const FieldValue& value) {
  if (is_text(field)) {
    to.append(std::get<std::string_view>(value)).push_back('\0');
    return;
  }
  if (is_number(field)) {
    std::array<std::byte, 8> bytes{};  // zeros where the record was too short
    if (const auto* number = std::get_if<std::uint64_t>(&value))
      store<std::uint64_t, std::endian::little>(&bytes[0], *number);
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      store<std::uint64_t, std::endian::little>(&bytes[0], static_cast<std::uint64_t>(*number));
    }
    to.append(reinterpret_cast<const char*>(bytes.data()), field.size);
    return;
  }
  const Bytes bytes = std::get<Bytes>(value);
  put(to, static_cast<std::uint16_t>(bytes.size()));
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

std::string ctf_metadata(const std::map<std::uint16_t, RecordedEvent>& events) {
  std::string text = kPreamble;
  for (const auto& [id, event] : events) {
    text += "event {\n  name = \"" + quoted(event.system) + ':' + quoted(event.name) +
            "\"; id = " + std::to_string(id) + "; stream_id = 0;\n  fields := struct {";
    text += declarations(event.format.fields) + " };\n};\n";
  }
  return text;
}

Status CtfStream::add(const TraceDatReader::Record& record) {
  const bool is_full = events_.size() >= kPacketBytesMax;
  if (record.lost_before != 0 || is_full) {
    // Also with nothing in it: a reader compares a packet's count with that of the packet before.
    begin_ns_ = is_begun_ ? begin_ns_ : record.time_ns;
    end_ns_ = is_begun_ ? end_ns_ : record.time_ns;
    if (Status done = finish(); !done) return done;
    is_begun_ = false;
    lost_ += record.lost_before;
  }
  if (!is_begun_) begin_ns_ = record.time_ns;
  is_begun_ = true;
  end_ns_ = record.time_ns;
  put_event(record);
  return {};
}

void CtfStream::put_event(const TraceDatReader::Record& record) {
  put(events_, record.event->type_id);
  put(events_, record.time_ns);
  put(events_, static_cast<std::uint32_t>(record.thread_id));
  for (const Field& field : record.event->format.fields) put_value(events_, field, field_value(field, record.record));
}

Status CtfStream::finish() {
  std::string packet;
  constexpr std::size_t kHeadBytes = 4 + 4 + 5 * 8 + 4;
  const std::uint64_t bits = 8 * (kHeadBytes + events_.size());
  put(packet, kMagic);
  put(packet, std::uint32_t{0});
  put(packet, begin_ns_);
  put(packet, end_ns_);
  put(packet, bits);
  put(packet, bits);
  put(packet, lost_);
  put(packet, static_cast<std::uint32_t>(cpu_));
  packet += events_;
  events_.clear();
  return sink_->append(as_bytes(packet));
}

}  // namespace vif::trace
