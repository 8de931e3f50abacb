// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl trace report` and `list` print: text like trace-cmd's for people, JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "netstack/base/tracepoint.hpp"
#include "services/trace/field_value.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace vif::tools {

// A line an event, "COMM-PID [CPU] SECONDS: EVENT: NAME=VALUE ...", and one where some were lost.
void print_report(trace::TraceDatReader& trace);
void print_records(trace::TraceDatReader& trace);       // the lines alone
void print_records_json(trace::TraceDatReader& trace);  // the objects below, one a line
// An array, an object an event: {"time_ns","cpu","pid","comm","system","event","fields":{name: value},"lost_before"}.
void print_report_json(trace::TraceDatReader& trace);

// " FIELD=VALUE" of every field. `record`: header and payload.
std::string values_text(const trace::EventFormat& format, Bytes record);

// Events of our own, by the group they are in.
struct EventGroup {
  std::string name;
  std::span<AnyTracepoint* const> points;
};
// Each with its fields.
void print_events(std::span<const EventGroup> groups);
void print_events_json(std::span<const EventGroup> groups);

// A value in JSON: numbers and texts, and what is neither in hex.
nlohmann::ordered_json value_json(const trace::FieldValue& value);
// On one line. Texts are any program's bytes; what is no UTF-8 in them is replaced rather than refused.
std::string dump(const nlohmann::ordered_json& json);

}  // namespace vif::tools
