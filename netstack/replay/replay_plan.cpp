// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_plan.hpp"

#include <charconv>
#include <span>
#include <string>

namespace vif::net {
namespace {

struct Unit {
  std::string_view name;
  double times;
};
constexpr Unit kPowers[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
constexpr Unit kNone[] = {{"", 1}};
constexpr Unit kTimes[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

constexpr double kSpeedMin = 1e-6, kSpeedMax = 1e12;
constexpr double kTimeMaxNs = 10 * 366 * 86'400e9;

std::optional<double> measured(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(static_cast<std::size_t>(end - text.data())) == unit.name) return number * unit.times;
  }
  return std::nullopt;
}

}  // namespace

Result<ReplaySpeed> parse_replay_speed(std::string_view text) {
  using Kind = ReplaySpeed::Kind;
  if (text == "original") return ReplaySpeed{};
  if (text == "top") return ReplaySpeed{Kind::top, 1};
  const struct {
    std::string_view prefix;
    Kind kind;
    std::span<const Unit> units;
  } forms[] = {{"x", Kind::recorded, kNone},
               {"pps=", Kind::frames_per_second, kPowers},
               {"bps=", Kind::bits_per_second, kPowers}};
  for (const auto& [prefix, kind, units] : forms) {
    if (!text.starts_with(prefix)) continue;
    const std::optional<double> value = measured(text.substr(prefix.size()), units);
    if (value && *value >= kSpeedMin && *value <= kSpeedMax) return ReplaySpeed{kind, *value};
  }
  return fail(std::errc::invalid_argument, "'" + std::string(text) +
                                               "' is no speed: expected original, top, xN as in x2.5, pps=N as in "
                                               "pps=20k, or bps=N as in bps=1.5G");
}

Result<Time> parse_replay_time(std::string_view text) {
  const std::optional<double> ns = measured(text, kTimes);
  if (ns && *ns >= 0 && *ns <= kTimeMaxNs) return Time(static_cast<std::int64_t>(*ns + 0.5));
  return fail(std::errc::invalid_argument,
              "'" + std::string(text) + "' is no time: expected a number and ns, us, ms, s, m or h, as in 250ms");
}

}  // namespace vif::net
