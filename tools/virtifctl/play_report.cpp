// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_report.hpp"

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "tools/virtifctl/html_page.hpp"
#include "tools/virtifctl/play_page.hpp"

namespace vif::tools {
namespace {

constexpr const char *kReceived = "received.pcapng", *kJson = "report.json", *kJunit = "junit.xml",
                     *kPage = "report.html";
constexpr std::array kFiles = {kReceived, kJson, kJunit, kPage};

std::string path_in(const std::string& folder, const char* file) { return folder + "/" + file; }

// Of files that may not be there yet.
bool will_be_same(const std::string& one, const std::string& other) {
  std::error_code error;
  const auto place = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  const std::filesystem::path at = place(one);
  return !at.empty() && at == place(other);
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
  if (played.report.early) text += fmt::format("{}ended {}", text.empty() ? "" : "; ", kEndedEarly);
  return text;
}

std::string junit(const Played& played) {
  const std::string sent = sent_problem(played);
  const bool expects = played.verdict.has_value(), unexpected = expects && !played.verdict->pass();
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"virtifctl replay\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" time=\"{:.6f}\">\n",
      1 + (expects ? 1 : 0) + (played.host_error.empty() ? 0 : 1), (sent.empty() ? 0 : 1) + (unexpected ? 1 : 0),
      played.host_error.empty() ? 0 : 1, played.report.seconds());
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
  if (!played.host_error.empty()) {
    xml += fmt::format(
        "  <testcase classname=\"replay\" name=\"this host did its part\">\n    <error message=\"{}\"/>\n"
        "  </testcase>\n",
        escaped(played.host_error));
  }
  return xml + "</testsuite>\n";
}

}  // namespace

Status check_report_folder(const std::string& folder, const std::vector<std::string>& used, FilesPort& files) {
  if (folder.empty()) return fail(EINVAL, "an empty name: expected a folder's");
  for (const char* const file : kFiles) {
    const std::string path = path_in(folder, file);
    for (const std::string& one : used) {
      if (files.same_file(path, one) || will_be_same(path, one)) {
        return fail(EINVAL, path + " is also read, or written by the link: expected another folder");
      }
    }
  }
  return {};
}

Status clear_report_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(error.value(), "cannot make the folder " + folder + ": " + error.message());
  for (const char* const file : kFiles) {
    const std::string path = path_in(folder, file);
    std::filesystem::remove(path, error);
    if (error) return fail(error.value(), "cannot remove the old " + path + ": " + error.message());
  }
  return {};
}

std::string received_path(const std::string& folder) { return path_in(folder, kReceived); }

Status write_report(const std::string& folder, const Played& played) {
  Status all = write_file(path_in(folder, kJson), json_text(played_json(played)) + "\n");
  for (const auto& [file, text] : {std::pair(kJunit, junit(played)), std::pair(kPage, play_page(played))}) {
    Status done = write_file(path_in(folder, file), text);
    if (all) all = std::move(done);
  }
  return all;
}

}  // namespace vif::tools
