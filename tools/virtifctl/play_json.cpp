// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_json.hpp"

#include <algorithm>
#include <numeric>

namespace vif::tools {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<std::size_t>& number) { return number ? Json(*number) : Json(nullptr); }

Json times_json(const TimeBuckets& buckets, Time most) {
  return {{"max", static_cast<double>(most.count()) / 1000},
          {"p50", us_below(buckets, 500)},
          {"p99", us_below(buckets, 990)}};
}

Json counts_json(const net::ExpectVerdict& verdict) {
  Json faults = Json::object();
  for (std::size_t i = 0; i < net::kExpectFaults; ++i) {
    faults[std::string(net::kExpectFaultNames[i])] = verdict.faults[i];
  }
  return {{"expected", verdict.expected},
          {"received", verdict.received},
          {"matched", verdict.matched},
          {"let_pass", verdict.let_pass},
          {"faults", faults}};
}

Json links_json(const Played& played) {
  Json links = Json::array();
  for (std::size_t i = 0; i < played.report.links.size(); ++i) {
    const host::LinkReplayReport::Link& link = played.report.links[i];
    links.push_back({{"to", link.linkstr},
                     {"sent", {{"frames", link.sent_frames}, {"bytes", link.sent_bytes}, {"lost", link.lost}}},
                     {"received", link.received},
                     {"expect", played.verdicts.empty() ? Json(nullptr) : counts_json(played.verdicts[i])}});
  }
  return links;
}

Json expect_json(const net::ExpectVerdict& verdict) {
  Json failures = Json::array();
  for (const net::ExpectFailure& failure : verdict.failures) {
    Json fields = Json::array();
    for (const net::FieldComparison& line : failure.fields) {
      fields.push_back({{"name", line.name},
                        {"expected", line.expected},
                        {"received", line.received},
                        {"ignored", line.ignored},
                        {"differs", line.differs}});
    }
    failures.push_back({{"fault", net::name(failure.fault)},
                        {"expected", number_or_null(failure.expected)},
                        {"received", number_or_null(failure.received)},
                        {"text", failure.text},
                        {"fields", fields}});
  }
  Json all = counts_json(verdict);
  all["failures"] = failures;
  return all;
}

}  // namespace

std::uint64_t Played::sent() const { return report.totals.sent - std::min(report.totals.sent, report.lost); }

std::string Played::to() const { return links.front() + (links.size() > 1 ? " and " + links.back() : ""); }

std::optional<double> Played::frames_per_second() const {
  const std::uint64_t frames = report.totals.wire_frames;
  if (frames < 2 || report.seconds() <= 0) return std::nullopt;
  return static_cast<double>(frames - 1) / report.seconds();  // the time is that of the gaps
}

std::size_t as_expected(const net::ExpectVerdict& verdict) {
  return verdict.matched - verdict.count(net::ExpectFault::early) - verdict.count(net::ExpectFault::late);
}

std::string faults_text(const net::ExpectVerdict& verdict) {
  std::string text;
  for (std::size_t i = 0; i < net::kExpectFaults; ++i) {
    if (verdict.faults[i] == 0) continue;
    text += ", " + std::to_string(verdict.faults[i]) + " " + std::string(net::kExpectFaultNames[i]);
  }
  return text;
}

std::uint64_t us_below(const TimeBuckets& buckets, std::uint64_t per_mille) {
  const std::uint64_t all = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    below += buckets[i];
    if (below > 0 && below * 1000 >= all * per_mille) return std::uint64_t{1} << i;
  }
  return 0;
}

Json played_json(const Played& played) {
  const host::LinkReplayReport& report = played.report;
  const net::ReplayTotals& totals = report.totals;
  const std::optional<double> pps = played.frames_per_second();
  Json refused;
  for (std::size_t i = 0; i < net::kReplayRefusals; ++i) {
    refused[std::string(net::kReplayRefusalNames[i])] = totals.refused[i];
  }
  return {
      {"file", played.files.size() == 1 ? Json(played.files.front()) : Json(nullptr)},
      {"files", played.files},
      {"to", played.links.size() == 1 ? Json(played.links.front()) : Json(nullptr)},
      {"verdict", played.pass() ? "pass" : "fail"},
      {"frames", totals.records},
      {"skipped", totals.skipped},
      {"runts", totals.count(net::ReplayRefusal::runt)},
      {"other_linktype", totals.count(net::ReplayRefusal::wrong_link_type)},
      {"sent",
       {{"frames", played.sent()},
        {"bytes", totals.wire_bytes},
        {"seconds", report.seconds()},
        {"pps", pps ? Json(*pps) : Json(nullptr)},
        {"failed", played.failed()}}},
      {"refused", refused},
      {"truncated", totals.truncated},
      {"split", totals.split},
      {"passes", totals.passes},
      {"backward", totals.backward},
      {"untimed", totals.untimed},
      {"late_us", times_json(totals.late_us, totals.late_max)},
      {"gap_error_us", times_json(totals.gap_error_us, totals.gap_error_max)},
      {"received", report.received},
      {"received_before", report.received_before},
      {"expect", played.verdict ? expect_json(*played.verdict) : Json(nullptr)},
      {"links", links_json(played)},
      {"interrupted", played.interrupted},
      {"ended_early", report.early},
      {"error", report.error.empty() ? Json(nullptr) : Json(report.error)},
      {"host_error", played.host_error.empty() ? Json(nullptr) : Json(played.host_error)},
  };
}

std::string json_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace vif::tools
