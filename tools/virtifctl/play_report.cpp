// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace vif::tools {
namespace {

// For HTML and XML alike; control characters, which XML cannot say at all, become question marks.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' && c != '\n' ? '?' : c;
    }
  }
  return safe;
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (file) return {};
  return fail(EIO, "cannot write " + path);
}

std::string sent_problem(const Played& played) {
  std::string text = played.report.error;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  for (std::size_t i = 0; i < net::kReplayRefusals; ++i) {
    add(played.report.totals.refused[i], net::kReplayRefusalNames[i]);
  }
  add(played.failed(), "not taken by the link");
  add(played.report.totals.truncated, "truncated");
  if (played.interrupted) text += text.empty() ? "interrupted" : ", interrupted";
  return text;
}

std::string junit(const Played& played) {
  const std::string sent = sent_problem(played);
  const bool expects = played.verdict.has_value(), unexpected = expects && !played.verdict->pass();
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"virtifctl replay\" tests=\"{}\" failures=\"{}\" "
      "time=\"{:.6f}\">\n",
      expects ? 2 : 1, (sent.empty() ? 0 : 1) + (unexpected ? 1 : 0), played.report.seconds());
  const auto testcase = [&](const char* name, const std::string& failure, const std::string& details) {
    xml += fmt::format("  <testcase classname=\"replay\" name=\"{}\"", name);
    if (failure.empty()) xml += "/>\n";
    else
      xml += fmt::format(">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n", escaped(failure),
                         escaped(details));
  };
  testcase("every frame was sent", sent, sent);
  if (expects) {
    std::string details;
    for (const net::ExpectFailure& failure : played.verdict->failures) details += failure.text + "\n";
    testcase("what was expected came back", unexpected ? played.verdict->failures.front().text : "", details);
  }
  return xml + "</testsuite>\n";
}

std::string row(const std::string& name, const std::string& value) {
  return "<tr><th>" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

// Bars of how late frames were, in buckets of powers of two.
std::string late_bars(const net::ReplayTotals& totals) {
  const std::uint64_t most = *std::max_element(totals.late_us.begin(), totals.late_us.end());
  if (most == 0) return "";
  std::string html = "<h2>How late frames were</h2>\n<table id=\"late\">\n";
  for (std::size_t i = 0; i < totals.late_us.size(); ++i) {
    if (totals.late_us[i] == 0) continue;
    html +=
        fmt::format("<tr><th>below {} us</th><td><div class=\"bar\" style=\"width:{}px\"></div></td><td>{}</td></tr>\n",
                    std::uint64_t{1} << i, 1 + 300 * totals.late_us[i] / most, totals.late_us[i]);
  }
  return html + "</table>\n";
}

std::string failures_html(const net::ExpectVerdict& verdict) {
  std::string html = fmt::format("<h2>Expected</h2>\n<p>{} of {} frames came as expected; {} were received.</p>\n",
                                 verdict.matched, verdict.expected, verdict.received);
  for (const net::ExpectFailure& failure : verdict.failures) {
    html += "<h3 class=\"failure\">" + escaped(std::string(net::name(failure.fault)) + ": " + failure.text) + "</h3>\n";
    if (failure.fields.empty()) continue;
    html += "<table>\n<tr><th>field</th><th>expected</th><th>received</th></tr>\n";
    for (const net::FieldComparison& line : failure.fields) {
      html += fmt::format("<tr class=\"{}\"><th>{}</th><td>{}</td><td>{}</td></tr>\n",
                          line.differs   ? "differs"
                          : line.ignored ? "ignored"
                                         : "same",
                          escaped(line.name), escaped(line.expected), escaped(line.received));
    }
    html += "</table>\n";
  }
  return html;
}

std::string html(const Played& played) {
  const net::ReplayTotals& totals = played.report.totals;
  const char* const verdict = played.pass() ? "PASS" : "FAIL";
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{} - virtifctl replay</title>\n"
      "<style>body{{font-family:sans-serif;margin:2em;max-width:60em}}table{{border-collapse:collapse}}"
      "th{{text-align:left;font-weight:normal;color:#555;padding-right:1em}}td{{padding-right:1em;font-family:"
      "monospace}}"
      ".differs td{{color:#b00;font-weight:bold}}.ignored{{opacity:.4}}.bar{{background:#48a;height:.8em}}"
      "#verdict.PASS{{color:#070}}#verdict.FAIL{{color:#b00}}</style>\n</head>\n<body>\n"
      "<h1 id=\"verdict\" class=\"{}\">{}</h1>\n<table id=\"sent\">\n",
      verdict, verdict, verdict);
  for (const std::string& file : played.files) page += row("capture", file);
  page += row("sent to", played.linkstr);
  page += row("frames sent", fmt::format("{} of {}", played.sent(), totals.records));
  page += row("bytes", fmt::format("{} in {:.6f} s", totals.wire_bytes, played.report.seconds()));
  const std::string problem = sent_problem(played);
  page += row("not sent", problem.empty() ? "none" : problem);
  page += row("received", std::to_string(played.report.received)) + "</table>\n";
  if (played.verdict) page += failures_html(*played.verdict);
  return page + late_bars(totals) + "</body>\n</html>\n";
}

}  // namespace

Status make_report_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(error.value(), "cannot make the folder " + folder + ": " + error.message());
  return {};
}

Status write_report(const std::string& folder, const Played& played) {
  if (Status done = write_file(folder + "/report.json", json_text(played_json(played)) + "\n"); !done) return done;
  if (Status done = write_file(folder + "/junit.xml", junit(played)); !done) return done;
  return write_file(folder + "/report.html", html(played));
}

}  // namespace vif::tools
