// SPDX-License-Identifier: BSD-2-Clause
// Measuring side by side: every variant of a comparison once a round, in turn, so that a noisy machine is noisy for all
// of them; medians, and ratios taken within a round. For programs that measure a backend beside its raw limit.
//
// Prints a table; with BENCH_JSON=FILE in the environment it also appends each comparison to FILE as a line of JSON,
// which is what tests/bench/peers collects, and each peer that is not there. A comparison is called "BACKEND: what".
// One thread; a program sets the stage with begin() first.
#pragma once

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace vif::bench {

// "Cannot be measured here": what meson counts as skipped.
[[noreturn]] inline void skip(const std::string& why) {
  std::printf("skipped: %s\n", why.c_str());
  std::exit(77);
}
[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

inline bool installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// One line of JSON. Its words are this program's own and need no escapes.
inline void append_json(const std::string& line) {
  const char* const path = std::getenv("BENCH_JSON");
  if (path == nullptr) return;
  std::FILE* const file = std::fopen(path, "a");
  if (file == nullptr) give_up(std::string("cannot append to ") + path);
  std::fprintf(file, "%s\n", line.c_str());
  std::fclose(file);
}

// A peer that is left out, and why.
inline void leave_out(const std::string& peer, const std::string& why) {
  std::printf("left out: %s: %s\n", peer.c_str(), why.c_str());
  append_json("{\"left_out\":\"" + peer + ": " + why + "\"}");
}
inline std::string not_installed(const std::string& package) { return "not installed (Debian: " + package + ")"; }

inline double now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

inline void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(processor), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// On one processor, ahead of everything ordinary where that is allowed, so that time on the wall is our own.
inline void begin(int processor = 0) {
  pin(processor);
  sched_param priority{};
  priority.sched_priority = 1;
  ::sched_setscheduler(0, SCHED_FIFO, &priority);
  ::setvbuf(stdout, nullptr, _IOLBF, 0);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// `run` does the work of one round and returns what it cost, in ns a frame; less is better.
struct Variant {
  std::string name;
  std::function<double()> run;
  std::vector<double> ns = {};
};

// What ours is held against: a ratio of `than` over ours, which is to be at least `bar` (0: for information).
struct Bar {
  std::string than;
  double bar;
};

// The first variant is ours.
class Comparison {
 public:
  Comparison(std::string what, std::vector<Variant> variants, std::vector<Bar> bars, const char* unit = "frame")
      : what_(std::move(what)), variants_(std::move(variants)), bars_(std::move(bars)), unit_(unit) {}

  void run(int rounds) {
    for (Variant& variant : variants_) variant.run();  // to warm up
    for (int round = 0; round < rounds; ++round) {
      // Each goes first in turn: who runs behind whom matters for caches.
      for (std::size_t i = 0; i < variants_.size(); ++i) {
        Variant& variant = variants_[(i + static_cast<std::size_t>(round)) % variants_.size()];
        variant.ns.push_back(variant.run());
      }
    }
    print();
    append_json(json());
  }

 private:
  void print() const {
    std::printf("\n%s\n", what_.c_str());
    for (const Variant& variant : variants_) {
      const auto [least, most] = std::minmax_element(variant.ns.begin(), variant.ns.end());
      std::printf("  %-44s %9.1f ns/%s  (%.1f .. %.1f)\n", variant.name.c_str(), median(variant.ns), unit_, *least,
                  *most);
    }
    for (const Bar& bar : bars_) {
      const std::vector<double> all = ratios(bar.than);
      const auto [least, most] = std::minmax_element(all.begin(), all.end());
      std::printf("  %s over ours: %.2f  (%.2f .. %.2f)", bar.than.c_str(), median(all), *least, *most);
      if (bar.bar > 0) std::printf("   bar %.2f: %s", bar.bar, median(all) >= bar.bar ? "reached" : "MISSED");
      std::printf("\n");
    }
  }

  std::vector<double> ratios(const std::string& than) const {
    const auto other = std::find_if(variants_.begin(), variants_.end(), [&](const auto& v) { return v.name == than; });
    if (other == variants_.end()) give_up("no variant '" + than + "' to compare with");
    std::vector<double> all;
    for (std::size_t i = 0; i < other->ns.size(); ++i) all.push_back(other->ns[i] / variants_.front().ns[i]);
    return all;
  }

  std::string json() const {
    const auto list = [](const auto& of, const auto& word) {
      std::string words;
      for (const auto& one : of) words += (words.empty() ? "" : ",") + word(one);
      return "[" + words + "]";
    };
    const auto number = [](double value) { return std::to_string(value); };
    const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
    return "{\"what\":" + quoted(what_) + ",\"variants\":" +
           list(variants_,
                [&](const Variant& variant) {
                  return "{\"name\":" + quoted(variant.name) + ",\"ns\":" + list(variant.ns, number) + "}";
                }) +
           ",\"bars\":" +
           list(bars_,
                [&](const Bar& bar) { return "{\"than\":" + quoted(bar.than) + ",\"bar\":" + number(bar.bar) + "}"; }) +
           "}";
  }

  std::string what_;
  std::vector<Variant> variants_;
  std::vector<Bar> bars_;
  const char* unit_;
};

// What this machine costs just now: a copy of 64 bytes and a system call, to read absolute numbers by.
inline void print_calibration() {
  constexpr int kTimes = 200'000;
  alignas(64) std::array<std::byte, 64> from{}, to{};
  double begun = now_ns();
  for (int i = 0; i < kTimes; ++i) {
    std::memcpy(to.data(), from.data(), to.size());
    asm volatile("" ::"r"(to.data()), "r"(from.data()) : "memory");
  }
  const double copy_ns = (now_ns() - begun) / kTimes;
  begun = now_ns();
  timespec resolution{};
  for (int i = 0; i < kTimes; ++i) ::clock_getres(CLOCK_PROCESS_CPUTIME_ID, &resolution);
  std::printf("calibration: 64 B copy %.1f ns, system call %.0f ns\n", copy_ns, (now_ns() - begun) / kTimes);
}

}  // namespace vif::bench
