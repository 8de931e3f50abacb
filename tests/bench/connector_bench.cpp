// SPDX-License-Identifier: BSD-2-Clause
// Process events and exit codes inside one process: what a record costs that nobody wants, that a filter stops and that
// subscribers get; what it costs to register a code and take it; and what memory it all holds. Beside each a bare loop
// that does the least there is to do. connector_bench [rounds]
#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "services/connector/proc_connector.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using namespace vif;

constexpr int kEvents = 20'000;

// The kernel's time comes with the event, so no clock is asked.
class NoClock final : public ClockPort {
 public:
  Time now() override { return Time(1); }
  std::int64_t wall_ns() override { return 1; }
};

template <class Work>
double each_ns(int times, Work work) {
  const double begun = bench::now_ns();
  for (int i = 0; i < times; ++i) work(i);
  return (bench::now_ns() - begun) / times;
}

// A connector with so many subscribers, who all ask the same.
class Rig {
 public:
  Rig(std::size_t subscribers, const cn::Request& request) {
    const auto payload = cn::write_request(request);
    for (std::size_t i = 0; i < subscribers; ++i) {
      subscribers_.push_back(
          std::make_unique<cn::Subscriber>(bus_, cn::Subscriber::Config{.ring_bytes = std::size_t{kEvents} * 128}));
      if (!subscribers_.back()->join(cn::kProcId.idx)) bench::give_up("a subscriber may not join");
      bus_.receive({.id = cn::kProcId, .payload = payload}, {.subscriber = subscribers_.back().get()});
    }
    (void)drain();
  }
  // ns to publish an event.
  double publish() {
    const double ns = each_ns(kEvents, [&](int i) {
      proc_->publish({.what = cn::What::exit, .timestamp_ns = 5, .pid = i, .tgid = i, .exit_code = 256});
    });
    const std::uint64_t got = drain();
    if (got != 0 && got != kEvents * subscribers_.size()) bench::give_up("some were lost");
    return ns;
  }
  // ns for the only subscriber to read an event.
  double read() {
    for (int i = 0; i < kEvents; ++i) proc_->publish({.what = cn::What::exit, .timestamp_ns = 5, .pid = i, .tgid = i});
    const double begun = bench::now_ns();
    const auto got = static_cast<double>(drain());
    return (bench::now_ns() - begun) / got;
  }

 private:
  std::uint64_t drain() {
    std::uint64_t records = 0;
    for (const auto& subscriber : subscribers_) {
      while (std::holds_alternative<cn::Record>(subscriber->ring().read())) ++records;
    }
    return records;
  }

  NoClock clock_;
  cn::Bus bus_;
  std::unique_ptr<cn::ProcConnector> proc_ = std::move(*cn::ProcConnector::attach(bus_, clock_, {}));
  std::vector<std::unique_ptr<cn::Subscriber>> subscribers_;
};

// The least there is: 60 bytes into a ring and a counter moved on.
class BareQueue {
 public:
  double push() {
    std::array<std::byte, 60> record{};
    return each_ns(kEvents, [&](int i) {
      record[0] = static_cast<std::byte>(i);
      const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
      std::memcpy(&room_[tail % kEvents * 64], record.data(), record.size());
      tail_.store(tail + 1, std::memory_order_release);
    });
  }

 private:
  std::vector<std::byte> room_ = std::vector<std::byte>(std::size_t{kEvents} * 64);
  std::atomic<std::uint64_t> tail_{0};
};

double bare_look() {
  std::atomic<std::uint32_t> interest{0};
  return each_ns(kEvents, [&](int) {
    asm volatile("" ::"r"(&interest) : "memory");
    if ((interest.load(std::memory_order_relaxed) & 1) != 0) bench::give_up("nobody is there");
  });
}

void events(int rounds) {
  Rig nobody(0, {.wishes = {}});
  Rig masked(1, {.mask = cn::bit(cn::What::fork), .wishes = {}});
  Rig filtered(1, {.wishes = {.tgid = -5}}), filtered8(8, {.wishes = {.tgid = -5}});
  Rig one(1, {.wishes = {}}), four(4, {.wishes = {}});
  BareQueue queue;
  bench::Comparison("connector: publish an event nobody wants; a frame is an event",
                    {{"nobody listens", [&] { return nobody.publish(); }},
                     {"one listens, to another kind", [&] { return masked.publish(); }},
                     {"bare look at a word", bare_look}},
                    {{"bare look at a word", 0}})
      .run(rounds);
  bench::Comparison("connector: publish an event that a filter stops",
                    {{"one subscriber, of another process", [&] { return filtered.publish(); }},
                     {"eight of them", [&] { return filtered8.publish(); }}},
                    {{"eight of them", 0}})
      .run(rounds);
  bench::Comparison("connector: publish an event, to be read later",
                    {{"one subscriber", [&] { return one.publish(); }},
                     {"four", [&] { return four.publish(); }},
                     {"one reads it", [&] { return one.read(); }},
                     {"bare queue: copy 60 bytes", [&] { return queue.push(); }}},
                    {{"bare queue: copy 60 bytes", 0}, {"four", 0}})
      .run(rounds);
}

// --- exit codes ---

constexpr std::uint32_t kIds = 1U << 21;
constexpr int kPairs = 50'000;

// Ids of the living in an order that no cache likes.
std::int32_t spread(int i, std::uint32_t living) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(i) * 2'654'435'761U % living) + 1;
}

std::unique_ptr<cn::ExitCodes> codes_of(std::uint32_t living) {
  auto codes = std::move(*cn::ExitCodes::create(kIds));
  for (std::uint32_t tid = 1; tid <= living; ++tid) {
    if (codes->attach(static_cast<std::int32_t>(tid), 1, 1) != 0) bench::give_up("no room for a thread");
  }
  return codes;
}

double register_and_take(cn::ExitCodes& codes, std::uint32_t living, std::int32_t first = 0) {
  return each_ns(kPairs, [&](int i) {
    const std::int32_t tid = first + spread(i, living);
    if (codes.put(tid, 7) != 0 || !codes.take(tid)) bench::give_up("a code is gone");
  });
}

double bare_array(std::vector<std::atomic<std::uint64_t>>& words, std::uint32_t living) {
  return each_ns(kPairs, [&](int i) {
    std::atomic<std::uint64_t>& word = words[static_cast<std::size_t>(spread(i, living))];
    word.store(7, std::memory_order_release);
    if (word.exchange(0, std::memory_order_acq_rel) != 7) bench::give_up("a code is gone");
  });
}

double locked_map(std::unordered_map<std::int32_t, std::uint32_t>& map, std::mutex& mutex, std::uint32_t living) {
  return each_ns(kPairs, [&](int i) {
    const std::int32_t tid = spread(i, living);
    {
      const std::lock_guard lock(mutex);
      map[tid] = 7;
    }
    const std::lock_guard lock(mutex);
    if (map.erase(tid) != 1) bench::give_up("a code is gone");
  });
}

void exit_codes(int rounds, std::uint32_t living) {
  const auto codes = codes_of(living);
  std::vector<std::atomic<std::uint64_t>> words(kIds);
  std::unordered_map<std::int32_t, std::uint32_t> map;
  for (std::uint32_t i = 1; i < living; ++i) map.emplace(static_cast<std::int32_t>(kIds + i), 7);
  std::mutex mutex;
  bench::Comparison("connector: register a code and take it, " + std::to_string(living) + " threads; a frame is a pair",
                    {{"exit codes", [&] { return register_and_take(*codes, living); }},
                     {"bare array of words", [&] { return bare_array(words, living); }},
                     {"unordered_map under a mutex", [&] { return locked_map(map, mutex, living); }}},
                    {{"bare array of words", 0}, {"unordered_map under a mutex", 0}})
      .run(rounds);
}

// Each on a processor and with ids of its own.
double two_at_once(cn::ExitCodes& codes) {
  double there_ns = 0;
  pthread_barrier_t start;
  pthread_barrier_init(&start, nullptr, 2);
  std::thread other([&] {
    bench::pin(1);
    pthread_barrier_wait(&start);
    there_ns = register_and_take(codes, 64, 64);
  });
  pthread_barrier_wait(&start);
  const double here_ns = register_and_take(codes, 64);
  other.join();
  pthread_barrier_destroy(&start);
  return std::max(here_ns, there_ns);
}

// --- memory ---

double resident_kib() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long all = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &all, &resident) != 2)
    bench::give_up("cannot read /proc/self/statm");
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

void memory() {
  const double before = resident_kib();
  const auto empty = cn::ExitCodes::create(kIds);
  const double made = resident_kib();
  const auto full = codes_of(1'000'000);
  const double filled = resident_kib();
  std::printf("\nmemory\n  exit codes for %u ids: %.0f KiB; with 1,000,000 threads: %.1f bytes each\n", kIds,
              made - before, (filled - made) * 1024 / 1e6);
  const auto table = std::make_unique<cn::TaskTable>();
  constexpr std::int32_t kTasks = 100'000;
  const double without = resident_kib();
  for (std::int32_t pid = 1; pid <= kTasks; ++pid) {
    table->apply({.what = cn::What::fork, .pid = pid, .tgid = pid / 4 * 4 + 1, .parent_pid = 1, .parent_tgid = 1});
  }
  std::printf("  table of tasks: %.0f bytes a task\n", (resident_kib() - without) * 1024 / kTasks);
}

// What an exec costs the table: its process's other threads are gone.
double exec_ns(cn::TaskTable& table, std::int32_t tasks) {
  constexpr int kExecs = 200;
  return each_ns(kExecs,
                 [&](int i) { table.apply({.what = cn::What::exec, .pid = i % tasks + 1, .tgid = i % tasks + 1}); });
}

void tasks(int rounds) {
  cn::TaskTable few, many;
  constexpr std::int32_t kFew = 300, kMany = 30'000;
  for (std::int32_t pid = 1; pid <= kMany; ++pid) {
    if (pid <= kFew) few.apply({.what = cn::What::fork, .pid = pid, .tgid = pid, .parent_pid = 1, .parent_tgid = 1});
    many.apply({.what = cn::What::fork, .pid = pid, .tgid = pid, .parent_pid = 1, .parent_tgid = 1});
  }
  bench::Comparison(
      "connector: an exec in the table of tasks; a frame is an exec",
      {{"300 tasks", [&] { return exec_ns(few, kFew); }}, {"30000 tasks", [&] { return exec_ns(many, kMany); }}},
      {{"30000 tasks", 0}})
      .run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 5);
  memory();  // while there is little of it
  bench::begin();
  bench::print_calibration();
  events(rounds);
  exit_codes(rounds, 64);
  exit_codes(rounds, 1'000'000);
  tasks(rounds);
  if (std::thread::hardware_concurrency() < 2) bench::skip("the rest needs a second processor");
  const auto codes = codes_of(128);
  bench::Comparison(
      "connector: register and take on two processors at once, the slower of the two",
      {{"two threads", [&] { return two_at_once(*codes); }}, {"one", [&] { return register_and_take(*codes, 64); }}},
      {{"one", 0}})
      .run(rounds);
}
