// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/replay_print.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace vif::tools {
namespace {

// The drops a replay can come to, in the order the rules are asked.
constexpr std::array kReplayDrops = {DropReason::not_running, DropReason::too_short,  DropReason::too_long,
                                     DropReason::own_echo,    DropReason::not_for_us, DropReason::no_mbuf,
                                     DropReason::filtered};

std::string dropped_text(const net::IfData& data) {
  std::string text;
  for (const DropReason reason : kReplayDrops) {
    if (data.dropped(reason) == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", data.dropped(reason), name(reason));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

void print_table(const std::vector<ReplayedFile>& files) {
  std::size_t width = 4;
  for (const ReplayedFile& file : files) width = std::max(width, file.file.size());
  fmt::print("{:<{}} {:>9} {:>9} {:>12}  {}\n", "file", width, "frames", "passed", "bytes", "dropped");
  for (const auto& [file, report] : files) {
    fmt::print("{:<{}} {:>9} {:>9} {:>12}  {}", file, width, report.frames, report.passed_frames, report.passed_bytes,
               dropped_text(report.data));
    const std::uint64_t other = report.data.dropped(DropReason::other_linktype);
    if (other > 0) fmt::print("; {} not Ethernet", other);
    fmt::print("\n");
  }
  std::fflush(stdout);  // before the errors, where both go to one terminal
  for (const auto& [file, report] : files) {
    if (report.error.empty()) continue;
    const bool names_file = report.error.find(file) != std::string::npos;
    fmt::print(stderr, "virtifctl: {}{}{}\n", names_file ? "" : file, names_file ? "" : ": ", report.error);
  }
}

void print_json(const std::vector<ReplayedFile>& files) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const auto& [file, report] : files) {
    nlohmann::ordered_json dropped = nlohmann::ordered_json::object();
    for (const DropReason reason : kReplayDrops) dropped[std::string(name(reason))] = report.data.dropped(reason);
    nlohmann::ordered_json object = {
        {"file", file},
        {"frames", report.frames},
        {"runts", report.data.dropped(DropReason::too_short)},
        {"other_linktype", report.data.dropped(DropReason::other_linktype)},
        {"passed",
         {{"frames", report.passed_frames}, {"bytes", report.passed_bytes}, {"sha256", report.passed_sha256}}},
        {"dropped", dropped},
        {"error", nullptr},
    };
    if (!report.error.empty()) object["error"] = report.error;
    array.push_back(std::move(object));
  }
  // File names are bytes; what is no UTF-8 in them is replaced rather than refused.
  fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace vif::tools
