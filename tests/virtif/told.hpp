// SPDX-License-Identifier: BSD-2-Clause
// What the tracepoints of a domain, or of anything, say, written down: each event as "NAME FIELD=VALUE ...", and the
// frames of drops summed by reason. Attached to all tracepoints, on or off.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "netstack/base/drop_reason.hpp"
#include "netstack/base/tracepoint.hpp"
#include "services/trace/field_value.hpp"

namespace rig {

class Told final : public vif::TraceSink {
 public:
  template <class Trace>
  explicit Told(Trace& trace, bool on = true) {
    for (vif::AnyTracepoint* const point : trace.all()) points_.push_back(point);
    for (vif::AnyTracepoint* point : points_) point->attach(*this, 0).store(on ? 1 : 0);
  }
  ~Told() override {
    for (vif::AnyTracepoint* point : points_) point->detach();
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  std::vector<std::string> events;
  std::array<std::uint64_t, vif::kDropReasons> dropped{};

 private:
  void trace(const vif::AnyTracepoint& point, vif::Bytes payload) override {
    namespace trace = vif::trace;
    const trace::EventFormat format = *trace::EventFormat::parse(point.command());
    std::vector<std::byte> record(trace::kRecordHeaderBytes);
    record.insert(record.end(), payload.begin(), payload.end());
    std::string text = format.name, reason;
    std::uint64_t frames = 0;
    for (const trace::Field& field : format.fields) {
      const trace::FieldValue value = trace::field_value(field, record);
      const auto* const words = std::get_if<std::string_view>(&value);
      const auto* const is_signed = std::get_if<std::int64_t>(&value);
      const std::string shown = words       ? std::string(*words)
                                : is_signed ? std::to_string(*is_signed)
                                            : std::to_string(std::get<std::uint64_t>(value));
      text += ' ' + field.name + '=' + shown;
      if (field.name == "reason") reason = shown;
      if (field.name == "frames" && words == nullptr) frames = std::get<std::uint64_t>(value);
    }
    events.push_back(text);
    for (std::size_t i = 0; i < vif::kDropReasons && !reason.empty(); ++i) {
      if (vif::kDropReasonNames[i] == reason) dropped[i] += frames;
    }
  }

  std::vector<vif::AnyTracepoint*> points_;
};

}  // namespace rig
