// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_report.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "tools/virtifctl/html_page.hpp"
#include "tools/virtifctl/play_page.hpp"

namespace vif::tools {
namespace {

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
  return write_file(folder + "/report.html", play_page(played));
}

}  // namespace vif::tools
