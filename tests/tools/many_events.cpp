// SPDX-License-Identifier: BSD-2-Clause
// usage: many_events FILE OFFERED    writes a trace.dat of events that whoever reads it can compute
//
// Event i of OFFERED is "tick n=i square=i*i name=N", N its last digit in words, at 7 * (i + 1) ns; every second one is
// filtered away. Two writers take turns by hundreds; the second one's ring is small and forgets its beginning. Prints
// how many events are in the file, and how many were lost.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/trace_dat.hpp"
#include "services/trace/event.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class NoClock final : public ClockPort {
 public:
  Time now() override { return Time{0}; }
  std::int64_t wall_ns() override { return 0; }
};

constexpr std::array<std::string_view, 10> kDigits = {"zero", "one", "two",   "three", "four",
                                                      "five", "six", "seven", "eight", "nine"};

int failed(const Error& error) {
  std::fprintf(stderr, "many_events: %s\n", error.text.c_str());
  return 1;
}

int write(const std::string& path, std::uint32_t offered) {
  host::MappedPages pages;
  NoClock clock;
  Writer one(101, clock), two(102, clock);
  auto tracing = Tracing::open(pages);
  if (!tracing) return failed(tracing.error());
  auto file = (*tracing)->open_data(0);
  if (!file) return failed(file.error());
  Event<"tick n square name", std::uint32_t, std::uint64_t, std::string_view> tick;
  if (Status bound = tick.bind(**file); !bound) return failed(bound.error());
  auto session = Session::open(**tracing, pages, {.when_full = WhenFull::overwrite, .ring_pages = 7000});
  if (!session) return failed(session.error());
  for (Writer* const writer : {&one, &two}) {
    if (Status added = (*session)->add_writer(*writer); !added) return failed(added.error());
  }
  if (const auto enabled = (*session)->enable("tick", "n & 1"); !enabled) return failed(enabled.error());
  for (std::uint32_t i = 0; i < offered; ++i) {
    Writer& writer = i / 100 % 4 == 0 ? one : two;  // three times as much for the second
    tick(
        writer, [i] { return 7 * (std::uint64_t{i} + 1); }, i, std::uint64_t{i} * i, kDigits[i % 10]);
  }
  const ThreadName threads[] = {{101, "first"}, {102, "second"}};
  const auto exported = host::write_trace_dat(**session, threads, path);
  if (!exported) return failed(exported.error());
  std::printf("%llu %llu\n", static_cast<unsigned long long>(exported->events),
              static_cast<unsigned long long>(exported->lost));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return write(argv[1], static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  std::fputs("usage: many_events FILE OFFERED\n", stderr);
  return 2;
}
