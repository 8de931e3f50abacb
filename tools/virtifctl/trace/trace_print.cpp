// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_print.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace vif::tools {
namespace {

using trace::TraceDatReader;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string hex_text(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

std::string value_text(const trace::FieldValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* bytes = std::get_if<Bytes>(&value)) return hex_text(*bytes);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::to_string(std::get<std::uint64_t>(value));
}

// A field's type for people: how texts are laid out is not their business.
std::string type_text(const trace::Field& field) { return field.is_dynamic_text() ? "text" : field.type; }

nlohmann::ordered_json record_json(const TraceDatReader& trace, const TraceDatReader::Record& record) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  for (const trace::Field& field : record.event->format.fields) {
    fields[field.name] = value_json(trace::field_value(field, record.record));
  }
  return {
      {"time_ns", record.time_ns},      {"cpu", record.cpu},
      {"pid", record.thread_id},        {"comm", trace.thread_name(record.thread_id)},
      {"system", record.event->system}, {"event", record.event->name},
      {"fields", std::move(fields)},    {"lost_before", record.lost_before},
  };
}

// By name and format.
template <class Visit>
void visit(std::span<const EventGroup> groups, Visit visit) {
  for (const EventGroup& group : groups) {
    for (const AnyTracepoint* point : group.points) {
      const trace::EventFormat format = *trace::EventFormat::parse(point->command());
      visit(group.name + ':' + format.name, format);
    }
  }
}

}  // namespace

nlohmann::ordered_json value_json(const trace::FieldValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  return value_text(value);
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void print_report(TraceDatReader& trace) {
  fmt::print("cpus={}\n", trace.cpus());
  print_records(trace);
}

void print_records(TraceDatReader& trace) {
  for (TraceDatReader::Record record; trace.next(record);) {
    if (record.lost_before != 0) fmt::print("CPU:{} [{} EVENTS DROPPED]\n", record.cpu, record.lost_before);
    const std::string_view comm = trace.thread_name(record.thread_id);
    fmt::print("{:>16}-{:<7} [{:03}] {:>6}.{:09}: {:<20}{}\n", comm.empty() ? "<...>" : comm, record.thread_id,
               record.cpu, record.time_ns / kSecond, record.time_ns % kSecond, record.event->name + ":",
               values_text(record.event->format, record.record));
  }
}

std::string values_text(const trace::EventFormat& format, Bytes record) {
  std::string text;
  for (const trace::Field& field : format.fields) {
    text.append(" ").append(field.name).append("=").append(value_text(trace::field_value(field, record)));
  }
  return text;
}

void print_records_json(TraceDatReader& trace) {
  for (TraceDatReader::Record record; trace.next(record);) fmt::print("{}\n", dump(record_json(trace, record)));
}

void print_report_json(TraceDatReader& trace) {
  bool is_first = true;
  for (TraceDatReader::Record record; trace.next(record); is_first = false) {
    fmt::print("{} {}", is_first ? "[\n" : ",\n", dump(record_json(trace, record)));
  }
  fmt::print("{}]\n", is_first ? "[" : "\n");
}

void print_events(std::span<const EventGroup> groups) {
  visit(groups, [](const std::string& name, const trace::EventFormat& format) {
    std::string fields;
    for (const trace::Field& field : format.fields) {
      fields += (fields.empty() ? "" : ", ") + type_text(field) + ' ' + field.name;
    }
    fmt::print("{:<20} {}\n", name, fields);
  });
}

void print_events_json(std::span<const EventGroup> groups) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  visit(groups, [&](const std::string& name, const trace::EventFormat& format) {
    nlohmann::ordered_json fields = nlohmann::ordered_json::array();
    for (const trace::Field& field : format.fields)
      fields.push_back({{"name", field.name}, {"type", type_text(field)}});
    events.push_back({{"event", name}, {"fields", std::move(fields)}});
  });
  fmt::print("{}\n", events.dump(2));
}

}  // namespace vif::tools
