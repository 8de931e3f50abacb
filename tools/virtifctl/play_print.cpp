// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_print.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace vif::tools {
namespace {

constexpr std::size_t kFailuresShown = 10;

std::string refused_text(const net::ReplayTotals& totals) {
  std::string text;
  for (std::size_t i = 0; i < net::kReplayRefusals; ++i) {
    if (totals.refused[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", totals.refused[i], net::kReplayRefusalNames[i]);
  }
  return text.empty() ? "none" : text;
}

std::string joined(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : " + ") + file;
  return text;
}

void print_side_by_side(const std::vector<net::FieldComparison>& fields, bool coloured) {
  std::size_t name_width = 5, width = 8;
  for (const net::FieldComparison& line : fields) {
    name_width = std::max(name_width, line.name.size());
    width = std::max(width, line.expected.size());
  }
  fmt::print("      {:<{}}  {:<{}}  {}\n", "field", name_width, "expected", width, "received");
  for (const net::FieldComparison& line : fields) {
    const char* const colour = line.differs ? "\033[1;31m" : line.ignored ? "\033[2m" : "";
    fmt::print("    {}{} {:<{}}  {:<{}}  {}{}\n", coloured ? colour : "",
               line.differs   ? '*'
               : line.ignored ? '~'
                              : ' ',
               line.name, name_width, line.expected, width, line.received, coloured && *colour != 0 ? "\033[0m" : "");
  }
}

void print_verdict(const net::ExpectVerdict& verdict, bool coloured) {
  fmt::print("  expected  {} frames: {} came as expected{}", verdict.expected, as_expected(verdict),
             faults_text(verdict));
  fmt::print("{}\n", verdict.let_pass > 0 ? fmt::format("; {} others", verdict.let_pass) : "");
  std::size_t shown = 0;
  for (const net::ExpectFailure& failure : verdict.failures) {
    if (shown++ == kFailuresShown) break;
    fmt::print("  {:<9} {}\n", net::name(failure.fault), failure.text);
    if (shown == 1 && !failure.fields.empty()) print_side_by_side(failure.fields, coloured);
  }
  if (verdict.failures.size() > kFailuresShown) fmt::print("  ...       -j prints more of them\n");
}

}  // namespace

void print_played(const Played& played, bool coloured) {
  const host::LinkReplayReport& report = played.report;
  const net::ReplayTotals& totals = report.totals;
  fmt::print("{} to {}{}\n", joined(played.files), played.to(), played.interrupted ? ", interrupted" : "");
  fmt::print("  sent      {} of {} frames{}, {} bytes in {:.6f} s", played.sent(), totals.records,
             report.early ? " tried" : "", totals.wire_bytes, report.seconds());
  if (const auto rate = played.frames_per_second()) fmt::print(" ({:.0f} frames/s)", *rate);
  fmt::print("\n");
  if (report.early) fmt::print("  ended     {}\n", kEndedEarly);
  if (totals.skipped > 0) fmt::print("  skipped   {}: --send leaves them out\n", totals.skipped);
  fmt::print("  refused   {}\n", refused_text(totals));
  if (played.failed() > 0) fmt::print("  failed    {}: the link did not take or keep them\n", played.failed());
  if (totals.truncated + totals.split > 0) {
    fmt::print("  oversize  {} truncated, {} split\n", totals.truncated, totals.split);
  }
  if (totals.backward + totals.untimed > 0) {
    fmt::print("  times     {} frames recorded before the one they follow, {} without a time\n", totals.backward,
               totals.untimed);
  }
  if (us_below(totals.late_us, 990) > 0) {
    fmt::print("  late      half of them below {} us, 99% below {} us, at most {:.1f} us\n",
               us_below(totals.late_us, 500), us_below(totals.late_us, 990),
               static_cast<double>(totals.late_max.count()) / 1000);
  }
  fmt::print("  received  {}", report.received);
  if (report.received_before > 0) fmt::print("; {} before the start were not looked at", report.received_before);
  fmt::print("\n");
  for (const host::LinkReplayReport::Link& link : report.links) {
    if (report.links.size() == 1) break;
    fmt::print("  {}: {} frames, {} bytes sent; {} received\n", link.linkstr, link.sent_frames, link.sent_bytes,
               link.received);
  }
  if (played.verdict) print_verdict(*played.verdict, coloured);
  for (const std::string& error : {report.error, played.host_error}) {
    if (!error.empty()) fmt::print("  error     {}\n", error);
  }
  if (played.verdict) fmt::print("{}\n", played.pass() ? "PASS" : "FAIL");
}

}  // namespace vif::tools
