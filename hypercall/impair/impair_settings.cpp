// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/impair/impair_settings.hpp"

#include <charconv>
#include <cmath>
#include <initializer_list>

#include "hypercall/link_options.hpp"

namespace vif::host {
namespace {

constexpr std::uint64_t kWaitingFrames = 1000;  // tc-netem(8)'s limit
constexpr std::uint64_t kWaitingFramesMost = 100'000;

struct Unit {
  std::string_view name;
  double times;
};

// A kind of number: its units, its range in their terms, and how to say all that.
struct Measure {
  std::initializer_list<Unit> units;
  double least, most;
  const char* is;
};

const Measure kShare{{{"%", 0.01}}, 0, 1, "a share of the frames from 0% to 100%, as in 0.5%"};
const Measure kTime{
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}, 0, 1e12, "a time up to 1000s, as in 10ms (ns, us, ms, s)"};
const Measure kRate{{{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12}},
                    1e3,
                    1e12,
                    "bits a second from 1kbit to 1tbit, as in 10mbit (bit, kbit, mbit, gbit, tbit)"};

// NaN: not a number with a unit.
double measured(std::string_view text, const Measure& measure) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return NAN;
  for (const Unit& unit : measure.units) {
    if (text.substr(static_cast<std::size_t>(end - text.data())) == unit.name) return number * unit.times;
  }
  return NAN;
}

// 0 without the option.
Result<double> measure_option(const drv::Linkstr& linkstr, const char* key, const Measure& measure) {
  const drv::Linkstr::Option* const option = linkstr.find(key);
  if (option == nullptr) return 0.0;
  const std::string text = option->value.value_or("");
  const double value = measured(text, measure);
  const bool in_range = value >= measure.least && value <= measure.most;  // not when it is NaN
  if (in_range) return value;
  return fail(std::errc::invalid_argument,
              std::string("impair: ") + key + " is " + measure.is + ", not '" + text + "'");
}

// Both directions alike.
Result<ImpairSettings> parse_settings(const drv::Linkstr& linkstr) {
  ImpairSettings settings;
  const struct {
    const char* key;
    Chance& chance;
  } chances[] = {
      {"loss", settings.loss}, {"dup", settings.dup}, {"reorder", settings.reorder}, {"corrupt", settings.corrupt}};
  for (const auto& [key, chance] : chances) {
    const Result<double> share = measure_option(linkstr, key, kShare);
    if (!share) return share.error();
    chance.parts = static_cast<std::uint64_t>(*share * static_cast<double>(Chance::kCertain));
  }
  const struct {
    const char* key;
    Time& time;
  } times[] = {{"delay", settings.delay}, {"jitter", settings.jitter}};
  for (const auto& [key, time] : times) {
    const Result<double> ns = measure_option(linkstr, key, kTime);
    if (!ns) return ns.error();
    time = Time(std::llround(*ns));
  }
  const Result<double> rate = measure_option(linkstr, "rate", kRate);
  if (!rate) return rate.error();
  settings.rate_bits = static_cast<std::uint64_t>(*rate);
  const Result<std::uint64_t> limit = number_option(linkstr, "limit", kWaitingFrames, {1, kWaitingFramesMost});
  if (!limit) return limit.error();

  const bool delays = settings.delay + settings.jitter > Time(0);
  if (settings.reorder.parts > 0 && !delays) {
    return fail(std::errc::invalid_argument,
                "impair: reorder needs a delay: the reordered frame is not delayed and overtakes those that are");
  }
  const bool changes = settings.loss.parts + settings.dup.parts + settings.corrupt.parts + settings.rate_bits > 0;
  if (changes || delays) settings.waiting_frames_max = static_cast<std::uint32_t>(*limit);
  return settings;
}

}  // namespace

Result<ImpairRequest> parse_impair(const drv::Linkstr& linkstr) {
  Status known =
      only_options(linkstr, {"loss", "delay", "jitter", "dup", "reorder", "corrupt", "rate", "limit", "seed", "dir"});
  if (!known) return std::move(known).error();
  const Result<ImpairSettings> settings = parse_settings(linkstr);
  if (!settings) return settings.error();
  ImpairRequest request{.in = *settings, .out = *settings, .seed = {}};
  if (const drv::Linkstr::Option* const dir = linkstr.find("dir")) {
    if (dir->value != "in" && dir->value != "out") {
      return fail(std::errc::invalid_argument, "impair: dir is in or out, not '" + dir->value.value_or("") +
                                                   "'; without it both directions are impaired");
    }
    (dir->value == "in" ? request.out : request.in) = {};
  }
  if (linkstr.find("seed") != nullptr) {
    const Result<std::uint64_t> seed = number_option(linkstr, "seed", 0, {0, UINT64_MAX});
    if (!seed) return seed.error();
    request.seed = *seed;
  }
  return request;
}

}  // namespace vif::host
