// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ip_words.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>

namespace vif::tools {
namespace {

struct Renamed {
  std::string_view theirs, ours;
};
// Empty: how it looks is ours to say.
constexpr std::array kOptions = {Renamed{"-j", "--json"},
                                 Renamed{"-json", "--json"},
                                 Renamed{"--json", "--json"},
                                 Renamed{"-s", "--stats"},
                                 Renamed{"-stats", "--stats"},
                                 Renamed{"-statistics", "--stats"},
                                 Renamed{"--stats", "--stats"},
                                 Renamed{"-br", "--brief"},
                                 Renamed{"-brief", "--brief"},
                                 Renamed{"--brief", "--brief"},
                                 Renamed{"-4", "-4"},
                                 Renamed{"-6", "-6"},
                                 Renamed{"-d", ""},
                                 Renamed{"-details", ""},
                                 Renamed{"-p", ""},
                                 Renamed{"-pretty", ""}};
// In the order in which ip(8) looks for what is only begun.
constexpr std::array kObjects = {Renamed{"address", "addr"},   Renamed{"maddress", "maddr"},  Renamed{"route", "route"},
                                 Renamed{"neighbor", "neigh"}, Renamed{"neighbour", "neigh"}, Renamed{"link", "link"}};

std::optional<std::string_view> as_option(std::string_view word) {
  const auto* const option = std::ranges::find(kOptions, word, &Renamed::theirs);
  return option == kOptions.end() ? std::nullopt : std::optional(option->ours);
}

std::string as_command(const std::string& word, std::span<const std::string_view> commands) {
  if (word.empty() || std::ranges::find(commands, word) != commands.end()) return word;
  const auto* const object =
      std::ranges::find_if(kObjects, [&](const Renamed& one) { return one.theirs.starts_with(word); });
  if (object != kObjects.end()) return std::string(object->ours);
  const std::string_view whole = completed(word, commands);
  return whole.empty() ? word : std::string(whole);
}

// How many letters to put in, take out or change (Levenshtein), or two neighbours to swap.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    now[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      now[j + 1] = std::min({last[j + 1] + 1, now[j] + 1, last[j] + (a[i] == b[j] ? 0U : 1U)});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) now[j + 1] = std::min(now[j + 1], before[j - 1] + 1);
    }
    before = std::exchange(last, now);
  }
  return last.back();
}

}  // namespace

std::string_view completed(std::string_view word, std::span<const std::string_view> known) {
  if (const auto same = std::ranges::find(known, word); same != known.end()) return *same;
  std::string_view only;
  for (const std::string_view one : known) {
    if (word.empty() || !one.starts_with(word)) continue;
    if (!only.empty()) return {};
    only = one;
  }
  return only;
}

std::string_view meant(std::string_view word, std::span<const std::string_view> known) {
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view one : known) {
    if (const std::size_t apart = distance(word, one); apart < least) {
      least = apart;
      nearest = one;
    }
  }
  return nearest;
}

std::vector<std::string> as_of_ip(std::vector<std::string> words, std::span<const std::string_view> commands) {
  const auto command = std::ranges::find_if(words, [](const std::string& word) { return !as_option(word); });
  if (command == words.end()) return words;
  std::vector<std::string> all = {as_command(*command, commands)};
  const auto take = [&](const std::string& word) {
    if (const std::string_view option = *as_option(word); !option.empty()) all.emplace_back(option);
  };
  std::for_each(words.begin(), command, take);
  const bool is_object = std::ranges::find(kObjects, all[0], &Renamed::ours) != kObjects.end();
  for (auto word = command + 1; word != words.end(); ++word) {
    if (is_object && as_option(*word)) take(*word);
    else all.push_back(std::move(*word));
  }
  return all;
}

}  // namespace vif::tools
