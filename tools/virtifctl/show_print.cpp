// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/show_print.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace vif::tools {
namespace {

std::vector<std::string> offload_names(const net::OffloadSet& offload) {
  std::vector<std::string> names;
  if (offload.csum) names.emplace_back("csum");
  if (offload.tso4) names.emplace_back("tso4");
  if (offload.tso6) names.emplace_back("tso6");
  if (offload.uso) names.emplace_back("uso");
  return names;
}

std::string state_name(net::LinkState state) {
  switch (state) {
    case net::LinkState::up:
      return "up";
    case net::LinkState::down:
      return "down";
    case net::LinkState::unknown:
      break;
  }
  return "unknown";
}

std::string rate_text(std::uint64_t baudrate) {
  if (baudrate == 0) return "unknown";
  if (baudrate % 1'000'000 == 0) return fmt::format("{} Mbit/s", baudrate / 1'000'000);
  return fmt::format("{} bit/s", baudrate);
}

void print_line(std::string_view what, const std::string& text) { fmt::print("  {:<16}{}\n", what, text); }

void print_link(const host::ShownLink& link) {
  const drv::LinkCaps& caps = link.caps;
  const std::vector<std::string> offload = offload_names(caps.offload);
  print_line("largest frame", fmt::format("{} bytes", caps.frame_bytes_max));
  print_line("smallest frame", caps.frame_bytes_min == 0 ? "any" : fmt::format("{} bytes", caps.frame_bytes_min));
  print_line("slices a frame", fmt::format("{}", caps.slices_max));
  print_line("offload", offload.empty() ? "none" : fmt::format("{}", fmt::join(offload, ", ")));
  print_line("own frames", caps.reflects ? "come back" : "do not come back");
  print_line("address", caps.lladdr ? caps.lladdr->to_string() : "any");
  print_line("MTU", fmt::format("{}{}", link.mtu_bytes, caps.mtu_bytes == 0 ? "" : ", as the other side's"));
  print_line("carrier", state_name(caps.link_state));
  print_line("speed", rate_text(caps.baudrate));
  if (!link.chosen.empty()) print_line("uses", link.chosen);
}

nlohmann::ordered_json json_of(const host::ShownLink& link) {
  const drv::LinkCaps& caps = link.caps;
  nlohmann::ordered_json object = {
      {"frame_bytes_max", caps.frame_bytes_max},
      {"frame_bytes_min", caps.frame_bytes_min},
      {"slices_max", caps.slices_max},
      {"offload", offload_names(caps.offload)},
      {"reflects", caps.reflects},
      {"lladdr", nullptr},
      {"mtu", link.mtu_bytes},
      {"link_state", state_name(caps.link_state)},
      {"baudrate", nullptr},
      {"chosen", link.chosen},
  };
  if (caps.lladdr) object["lladdr"] = caps.lladdr->to_string();
  if (caps.baudrate != 0) object["baudrate"] = caps.baudrate;
  return object;
}

}  // namespace

void print_text(const std::vector<OpenedLink>& links) {
  for (const auto& [linkstr, link] : links) {
    if (!link) continue;
    fmt::print("{}\n", linkstr);
    print_link(*link);
  }
  std::fflush(stdout);  // before the errors, where both go to one terminal
  for (const auto& [linkstr, link] : links) {
    if (!link) fmt::print(stderr, "virtifctl: {}: {}\n", linkstr, link.error().text);
  }
}

void print_json(const std::vector<OpenedLink>& links) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const auto& [linkstr, link] : links) {
    nlohmann::ordered_json object = {{"linkstr", linkstr}, {"error", nullptr}, {"link", nullptr}};
    if (link) object["link"] = json_of(*link);
    else object["error"] = link.error().text;
    array.push_back(std::move(object));
  }
  // A link string may name a file, and file names are bytes: what is no UTF-8 is replaced rather than refused.
  fmt::print("{}\n", array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace vif::tools
