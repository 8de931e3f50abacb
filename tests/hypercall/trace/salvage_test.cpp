// SPDX-License-Identifier: BSD-2-Clause
// Rings in files: a process is killed while it records, and what it had
// recorded is read. And folders that nobody has died in, or that hold something
// else.
#include "hypercall/trace/salvage.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/ring_files.hpp"
#include "services/trace/event.hpp"
#include "services/trace/field_value.hpp"
#include "services/trace/session.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace {

using namespace vif;
namespace fs = std::filesystem;

class CountingClock final : public ClockPort {
 public:
  Time now() override { return ++time_; }
  std::int64_t wall_ns() override { return 0; }

 private:
  Time time_{0};
};

class Salvage : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "vifXXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    scratch_ = name;
    folder_ = scratch_ + "/rings";
  }
  void TearDown() override { fs::remove_all(scratch_); }

  // A process that records ticks 1, 2, 3 ..., kills itself behind the last, and
  // tells nobody.
  void record_and_die(std::uint64_t ticks, trace::WhenFull when_full) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) record(ticks, when_full);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }

  std::vector<std::uint64_t> ticks() {
    std::ifstream file(path_, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    trace::TraceDatReader reader = *trace::TraceDatReader::open(as_bytes(bytes));
    EXPECT_EQ(reader.thread_name(7), "dying");
    std::vector<std::uint64_t> all;
    for (trace::TraceDatReader::Record record{}; reader.next(record);) {
      EXPECT_EQ(record.event->system + ':' + record.event->name, "user_events:tick");
      all.push_back(std::get<std::uint64_t>(trace::field_value(record.event->format.fields[0], record.record)));
    }
    EXPECT_FALSE(reader.damaged());
    return all;
  }

  std::string scratch_, folder_, path_ = {};

 private:
  void record(std::uint64_t count, trace::WhenFull when_full) {
    CountingClock clock;
    host::MappedPages pages;
    auto files = *host::RingFiles::open(folder_);
    auto tracing = *trace::Tracing::open(pages);
    auto file = *tracing->open_data(0);
    trace::Event<"tick n", std::uint64_t> tick;
    trace::Writer writer(7, clock);
    if (!tick.bind(*file)) ::_exit(1);
    auto session =
        *trace::Session::open(*tracing, pages, {.when_full = when_full, .ring_pages = 4, .rings = files.get()});
    if (!session->enable("tick") || !session->add_writer(writer)) ::_exit(2);
    const trace::ThreadName thread{7, "dying"};
    if (!files->describe(trace::trace_dat_head(session->events(), std::span(&thread, 1), {}))) ::_exit(3);
    const auto now = [&writer] { return writer.now_ns(); };
    for (std::uint64_t n = 1; n <= count; ++n) tick(writer, now, n);
    ::kill(::getpid(), SIGKILL);
  }
};

TEST_F(Salvage, finds_the_last_events_of_a_process_that_was_killed) {
  path_ = scratch_ + "/trace.dat";
  record_and_die(3, trace::WhenFull::overwrite);
  const Result<host::SalvagedTrace> saved = host::salvage(folder_, path_);
  ASSERT_TRUE(saved) << saved.error().text;
  EXPECT_EQ(saved->events, 3U);
  EXPECT_EQ(saved->lost, 0U);
  EXPECT_EQ(ticks(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_TRUE(host::salvage(folder_, path_)) << "it was left as it is";
}

TEST_F(Salvage, counts_what_was_written_over_or_found_no_room) {
  path_ = scratch_ + "/trace.dat";
  for (const auto when_full : {trace::WhenFull::overwrite, trace::WhenFull::discard}) {
    record_and_die(10'000, when_full);
    const Result<host::SalvagedTrace> saved = host::salvage(folder_, path_);
    ASSERT_TRUE(saved) << saved.error().text;
    EXPECT_EQ(saved->events + saved->lost, 10'000U);
    const std::vector<std::uint64_t> all = ticks();
    ASSERT_EQ(all.size(), saved->events);
    const std::uint64_t first = when_full == trace::WhenFull::overwrite ? saved->lost + 1 : 1;
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], first + i);
  }
}

TEST_F(Salvage, reads_the_dead_one_while_its_heir_records) {
  path_ = scratch_ + "/trace.dat";
  record_and_die(2, trace::WhenFull::overwrite);
  auto heir = *host::RingFiles::open(folder_);
  const Result<std::unique_ptr<host::RingFiles>> second = host::RingFiles::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number(), EBUSY);
  ASSERT_TRUE(host::salvage(folder_, path_));
  heir.reset();
  ASSERT_TRUE(host::salvage(folder_, path_)) << "and when that has ended in good order";
  EXPECT_EQ(ticks(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(Salvage, leaves_nothing_of_a_process_that_ended_in_good_order) {
  path_ = scratch_ + "/trace.dat";
  {
    auto files = *host::RingFiles::open(folder_);
    ASSERT_TRUE(files->describe("head"));
    const MutBytes pages = files->map(trace::kPageBytes);
    ASSERT_EQ(pages.size(), trace::kPageBytes);
    files->unmap(pages);
  }
  const Result<host::SalvagedTrace> saved = host::salvage(folder_, path_);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().number(), ENOENT);
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Salvage, refuses_what_is_no_recording) {
  path_ = scratch_ + "/trace.dat";
  EXPECT_EQ(host::salvage(folder_, path_).error().number(), ENOENT) << "no such folder";
  record_and_die(3, trace::WhenFull::overwrite);
  const fs::path ring = fs::path(folder_) / "now/ring-0", head = fs::path(folder_) / "now/head";
  fs::resize_file(ring, 5000);
  EXPECT_EQ(host::salvage(folder_, path_).error().number(), EINVAL) << "a ring that was cut";
  fs::remove(ring);
  fs::create_symlink("/dev/zero", ring);
  EXPECT_EQ(host::salvage(folder_, path_).error().number(), ELOOP) << "a link to somewhere else";
  std::ofstream(head) << "something else";
  EXPECT_EQ(host::salvage(folder_, path_).error().number(), EINVAL);
}

TEST_F(Salvage, leaves_out_a_ring_that_is_none_and_says_so) {
  path_ = scratch_ + "/trace.dat";
  record_and_die(3, trace::WhenFull::overwrite);
  std::ofstream(fs::path(folder_) / "now/ring-1");
  fs::copy(fs::path(folder_) / "now/ring-0", fs::path(folder_) / "now/ring-2");
  fs::resize_file(fs::path(folder_) / "now/ring-2", 5000);
  const Result<host::SalvagedTrace> saved = host::salvage(folder_, path_);
  ASSERT_TRUE(saved) << saved.error().text;
  ASSERT_EQ(saved->bad.size(), 2U);
  EXPECT_NE(saved->bad[0].text.find("ring-1"), std::string::npos) << saved->bad[0].text;
  EXPECT_NE(saved->bad[1].text.find("ring-2"), std::string::npos) << saved->bad[1].text;
  EXPECT_EQ(ticks(), (std::vector<std::uint64_t>{1, 2, 3}));
  fs::remove(path_);
  fs::resize_file(fs::path(folder_) / "now/ring-0", 0);
  EXPECT_EQ(host::salvage(folder_, path_).error().number(), EINVAL);
  EXPECT_FALSE(fs::exists(path_)) << "no empty file stays";
}

// Killed while nothing was recorded: what an earlier one left is not thrown away for that.
TEST_F(Salvage, keeps_the_dead_one_until_another_dies_amidst) {
  path_ = scratch_ + "/trace.dat";
  record_and_die(2, trace::WhenFull::overwrite);
  for (int i = 0; i < 2; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto files = *host::RingFiles::open(folder_);
      const MutBytes pages = files->map(trace::kPageBytes);
      if (!files->describe("head")) ::_exit(1);
      files->unmap(pages);
      ::_exit(0);  // nobody puts it in order
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  ASSERT_TRUE(host::salvage(folder_, path_));
  EXPECT_EQ(ticks(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(Salvage, a_full_disk_is_no_memory_and_no_crash) {
  auto files = *host::RingFiles::open(folder_);
  EXPECT_TRUE(files->room());
  EXPECT_TRUE(files->map(std::size_t{1} << 60).empty());
  EXPECT_FALSE(files->room());
  EXPECT_NE(files->room().error().number(), ENOMEM) << files->room().error().text;
  EXPECT_TRUE(fs::is_empty(folder_ + "/now"));
}

}  // namespace
