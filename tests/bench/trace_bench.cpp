// SPDX-License-Identifier: BSD-2-Clause
// What an event costs, off and on, at one thread and two, beside reading the cycle counter and beside lttng-ust in the
// same rounds, in CPU time of the thread; and what registering and idle threads cost. trace_bench [rounds]
//
// lttng-ust wants its session daemon before the program begins: this one starts it, in a folder of its own, and then
// itself again.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "hypercall/trace/cycle_clock.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "services/trace/event.hpp"
#include "services/trace/session.hpp"
#include "tests/bench/rounds.hpp"

#ifdef VIF_HAS_LTTNG
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tests/bench/lttng_events.h"
#endif

namespace {

using namespace vif;

constexpr int kEvents = 500'000;  // of a thread, each round

// A thread's writer and its ring.
struct Rig {
  Rig() {
    if (!session->enable("two") || !two.bind(*file) || !off.bind(*file)) bench::give_up("no event");
    index = static_cast<std::int32_t>(file->add("two u32 a; u32 b")->write_index);
    for (trace::Writer& writer : writers) {
      if (!session->add_writer(writer)) bench::give_up("no memory for a ring");
    }
  }

  host::CycleClock clock;
  host::MappedPages pages;
  std::unique_ptr<trace::Tracing> tracing = *trace::Tracing::open(pages);
  std::unique_ptr<trace::DataFile> file = *tracing->open_data(0);
  trace::Event<"two a b", std::uint32_t, std::uint32_t> two;
  trace::Event<"off a b", std::uint32_t, std::uint32_t> off;
  trace::Writer writers[2] = {{1, clock}, {2, clock}};
  std::int32_t index = 0;
  std::unique_ptr<trace::Session> session = *trace::Session::open(
      *tracing, pages, {.when_full = trace::WhenFull::overwrite, .ring_pages = 64, .rings = nullptr});
};

// ns of CPU an event, on average over the threads.
template <class Emit>
double on_threads(int threads, const Emit& emit) {
  std::array<double, 2> ns{};
  const auto run = [&](int which) {
    if (threads > 1) bench::pin(which);
    const double begun = bench::now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < kEvents; ++i) {
      emit(which, static_cast<std::uint32_t>(i));
      asm volatile("" ::: "memory");
    }
    ns[static_cast<std::size_t>(which)] = (bench::now_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / kEvents;
  };
  if (threads == 1) {
    run(0);
    return ns[0];
  }
  std::thread other([&] { run(1); });
  run(0);
  other.join();
  bench::pin(0);
  return (ns[0] + ns[1]) / 2;
}

template <class Emit>
bench::Variant variant(const char* name, int threads, Emit emit) {
  return {name, [threads, emit] { return on_threads(threads, emit); }};
}

void compare_off(Rig& rig, int rounds) {
  const auto now = [&rig] { return rig.clock.now_ns(); };
  std::vector<bench::Variant> variants = {
      variant("typed event, off", 1, [&rig, now](int, std::uint32_t i) { rig.off(rig.writers[0], now, i, i); }),
      variant("an empty loop", 1, [](int, std::uint32_t) {})};
  std::vector<bench::Bar> bars = {{"an empty loop", 0}};
#ifdef VIF_HAS_LTTNG
  variants.push_back(
      variant("lttng-ust, off", 1, [](int, std::uint32_t i) { lttng_ust_tracepoint(vif_bench, off, i, i); }));
  bars.push_back({"lttng-ust, off", 0});
#endif
  bench::Comparison("trace: an event that is off", std::move(variants), std::move(bars), "event").run(rounds);
}

void compare_on(Rig& rig, int threads, int rounds) {
  const auto now = [&rig] { return rig.clock.now_ns(); };
  const auto typed = [&rig, now](int which, std::uint32_t i) { rig.two(rig.writers[which], now, i, i); };
  const auto generic = [&rig](int which, std::uint32_t i) {
    const std::array<std::uint32_t, 2> values = {i, i};
    const Bytes slice = std::as_bytes(std::span(values));
    (void)rig.file->write(rig.writers[which], rig.index, trace::Slices(std::span(&slice, 1)));
  };
  const auto counter = [&rig](int, std::uint32_t) { asm volatile("" ::"r"(rig.clock.now_ns())); };
  const std::string at = " at " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  std::vector<bench::Variant> typed_variants = {variant("typed, two u32", threads, typed),
                                                variant("the cycle counter, read", threads, counter)};
  std::vector<bench::Bar> typed_bars = {{"the cycle counter, read", 0.67}};
  std::vector<bench::Variant> generic_variants = {variant("write of slices, two u32", threads, generic)};
  std::vector<bench::Bar> generic_bars;
#ifdef VIF_HAS_LTTNG
  const auto lttng = [](int, std::uint32_t i) { lttng_ust_tracepoint(vif_bench, two, i, i); };
  typed_variants.push_back(variant("lttng-ust, two u32", threads, lttng));
  typed_bars.push_back({"lttng-ust, two u32", 6});
  generic_variants.push_back(variant("lttng-ust, two u32", threads, lttng));
  generic_bars.push_back({"lttng-ust, two u32", 3});
#endif
  bench::Comparison("trace: typed event" + at, std::move(typed_variants), std::move(typed_bars), "event").run(rounds);
  bench::Comparison("trace: write" + at, std::move(generic_variants), std::move(generic_bars), "event").run(rounds);
}

void register_many() {
  host::MappedPages pages;
  const auto tracing = *trace::Tracing::open(pages);
  const auto file = *tracing->open_data(0);
  const double begun = bench::now_ns(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < 30'000; ++i) {
    if (!file->add("event_" + std::to_string(i) + " u32 reason; u64 bytes; __rel_loc char[] ifname")) {
      bench::give_up("an event was refused");
    }
  }
  std::printf("\n30,000 events registered in %.1f ms (bar 100)\n",
              (bench::now_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 1e6);
}

long resident_kib() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long pages = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) bench::give_up("no /proc/self/statm");
  std::fclose(file);
  return resident * 4;
}

void idle_threads(Rig& rig) {
  constexpr int kThreads = 1000;
  std::vector<std::unique_ptr<trace::Writer>> writers;
  const long before = resident_kib();
  for (int i = 0; i < kThreads; ++i) {
    writers.push_back(std::make_unique<trace::Writer>(100 + i, rig.clock));
    if (!rig.session->add_writer(*writers.back())) bench::give_up("no memory for a ring");
  }
  std::printf("a thread that has written nothing yet: %.1f KiB resident (bar 64)\n",
              static_cast<double>(resident_kib() - before) / kThreads);
  rig.session.reset();
}

#ifdef VIF_HAS_LTTNG
// Runs this program again inside a session of LTTng's, and takes that away behind it. False: there is none to be had.
bool run_inside_lttng(char** argv) {
  if (!bench::installed("lttng-sessiond") || !bench::installed("lttng")) return false;
  std::string home = "/tmp/viflttngXXXXXX";
  if (::mkdtemp(home.data()) == nullptr) return false;
  ::setenv("LTTNG_HOME", home.c_str(), 1);
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("LTTNG_UST_REGISTER_TIMEOUT", "-1", 1);
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    ::execlp("lttng-sessiond", "lttng-sessiond", "--no-kernel", "--quiet", nullptr);
    ::_exit(127);
  }
  const std::string begin =
      "for i in $(seq 50); do lttng create --snapshot vif_bench && break; sleep 0.1; done >/dev/null 2>&1;"
      "lttng enable-event -u vif_bench:two >/dev/null && lttng start >/dev/null";
  const bool begun = std::system(begin.c_str()) == 0;
  if (begun) {
    ::setenv("VIF_BENCH_LTTNG", "inside", 1);
    const pid_t inside = ::fork();
    if (inside == 0) {
      ::execv("/proc/self/exe", argv);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(inside, &status, 0);
    (void)std::system("lttng destroy vif_bench >/dev/null 2>&1");
  }
  ::kill(daemon, SIGTERM);
  ::waitpid(daemon, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(home, ignored);
  return begun;
}
#endif

}  // namespace

int main(int argc, char** argv) {
#ifdef VIF_HAS_LTTNG
  if (std::getenv("VIF_BENCH_LTTNG") == nullptr && run_inside_lttng(argv)) return 0;
  if (std::getenv("VIF_BENCH_LTTNG") == nullptr) bench::leave_out("lttng-ust", "its session daemon did not start");
#else
  bench::leave_out("lttng-ust", bench::not_installed("liblttng-ust-dev lttng-tools"));
#endif
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  bench::begin();
  bench::print_calibration();
  Rig rig;
  compare_off(rig, rounds);
  for (const int threads : {1, 2}) compare_on(rig, threads, rounds);
  register_many();
  idle_threads(rig);
}
