// SPDX-License-Identifier: BSD-2-Clause
// What was recorded, written as trace.dat and read back by trace-cmd report and by our own reader, event by event.
// Skips where trace-cmd is not installed.
#include "hypercall/trace/trace_dat.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "hypercall/trace/mapped_pages.hpp"
#include "services/trace/event.hpp"
#include "services/trace/field_value.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class NoClock final : public ClockPort {
 public:
  Time now() override { return Time{0}; }
  std::int64_t wall_ns() override { return 0; }
};

class TraceDat : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v trace-cmd >/dev/null") != 0) GTEST_SKIP() << "trace-cmd is not installed";
  }
  void TearDown() override { std::filesystem::remove(path); }

  std::unique_ptr<Session> open(const Session::Settings& settings) {
    auto session = std::move(Session::open(*tracing, pages, settings)).value();
    EXPECT_TRUE(session->add_writer(one));
    EXPECT_TRUE(session->add_writer(two));
    return session;
  }

  // The lines trace-cmd prints, without the blanks it aligns them with.
  std::vector<std::string> report(const std::string& options = "") {
    const std::string command = "trace-cmd report -t " + options + " -i " + path + " 2>&1";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::popen(command.c_str(), "r"), ::pclose);
    std::vector<std::string> lines;
    char buffer[1024];
    while (std::fgets(buffer, sizeof buffer, out.get()) != nullptr) {
      std::string line;
      for (const char* at = buffer; *at != '\0' && *at != '\n'; ++at) {
        if (*at != ' ' || (!line.empty() && line.back() != ' ')) line += *at;
      }
      while (line.ends_with(' ')) line.pop_back();
      lines.push_back(line);
    }
    EXPECT_FALSE(lines.empty());
    if (!lines.empty() && lines[0].starts_with("cpus=")) lines.erase(lines.begin());
    return lines;
  }

  host::MappedPages pages;
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
  Group& group = **tracing->create_group("grp1");
  std::unique_ptr<DataFile> root = std::move(tracing->open_data(0)).value();
  std::unique_ptr<DataFile> named = std::move(tracing->open_data(group.id())).value();
  NoClock clock;
  Writer one{101, clock}, two{102, clock};
  std::string path =
      (std::filesystem::temp_directory_path() / ("vif-trace-test-" + std::to_string(::getpid()))).string();
};

TEST_F(TraceDat, every_kind_of_field_and_group_is_read_back) {
  Event<"drop reason bytes tag ifname", std::uint8_t, std::int64_t, std::array<char, 4>, std::string_view> drop;
  Event<"tick"> tick;
  Event<"drop n", std::uint32_t> other;  // another group's event of the same name
  ASSERT_TRUE(drop.bind(*root));
  ASSERT_TRUE(tick.bind(*root));
  ASSERT_TRUE(other.bind(*named));
  auto session = open({});
  EXPECT_EQ(*session->enable("*"), 3U);
  std::uint64_t ns = 0;
  const auto now = [&] { return ns; };
  ns = 1'000'000'001, drop(one, now, 3, -5, {'a', 'b', '\0', '\0'}, "virt0");
  ns = 1'000'000'002, tick(two, now);
  ns = 3'000'000'000, other(one, now, 7);  // 2 s later needs a time extend
  ns = 3'000'000'001, drop(two, now, 255, std::int64_t{1} << 40, {}, std::string(200, 'x'));
  const std::vector<ThreadName> threads = {{101, "loop"}, {102, "worker"}};
  const auto exported = host::write_trace_dat(*session, threads, path);
  ASSERT_TRUE(exported) << exported.error().text;
  EXPECT_EQ(exported->events, 4U);
  EXPECT_EQ(exported->lost, 0U);
  const std::vector<std::string> expected = {
      "loop-101 [000] 1.000000001: drop: reason=3 bytes=-5 tag=ab ifname=virt0",
      "worker-102 [001] 1.000000002: tick:",
      "loop-101 [000] 3.000000000: drop: n=7",
      "worker-102 [001] 3.000000001: drop: reason=255 bytes=1099511627776 tag= ifname=" + std::string(200, 'x'),
  };
  EXPECT_EQ(report(), expected);
  EXPECT_EQ(report("-F 'user_events.grp1/drop: n == 7'"), std::vector<std::string>{expected[2]});
}

TEST_F(TraceDat, losses_are_shown_where_they_happened) {
  Event<"tick n", std::uint32_t> tick;
  ASSERT_TRUE(tick.bind(*root));
  auto session = open({.when_full = WhenFull::overwrite, .ring_pages = 2});
  ASSERT_TRUE(session->enable("tick"));
  constexpr std::uint32_t kOffered = 5000;
  std::uint64_t ns = 0;
  for (std::uint32_t n = 0; n < kOffered; ++n)
    tick(
        one, [&] { return ns += 10; }, n);
  const auto exported = host::write_trace_dat(*session, {}, path);
  ASSERT_TRUE(exported) << exported.error().text;
  EXPECT_EQ(exported->events + exported->lost, kOffered);
  const std::vector<std::string> lines = report();
  ASSERT_EQ(lines.size(), exported->events + 1);
  EXPECT_EQ(lines[0], "CPU:0 [" + std::to_string(exported->lost) + " EVENTS DROPPED]");
  EXPECT_TRUE(lines[1].ends_with(" tick: n=" + std::to_string(exported->lost))) << lines[1];
  EXPECT_TRUE(lines.back().ends_with(" tick: n=4999")) << lines.back();
}

TEST_F(TraceDat, a_million_events) {
  Event<"tick n", std::uint32_t> tick;
  ASSERT_TRUE(tick.bind(*root));
  auto session = open({.ring_pages = 8192});
  ASSERT_TRUE(session->enable("tick", "n & 1"));
  constexpr std::uint32_t kOffered = 2'000'000;
  std::uint64_t ns = 0;
  for (std::uint32_t n = 0; n < kOffered; ++n)
    tick(
        n / 2 % 2 == 0 ? one : two, [&] { return ns += 7; }, n);
  const auto exported = host::write_trace_dat(*session, {}, path);
  ASSERT_TRUE(exported) << exported.error().text;
  EXPECT_EQ(exported->events, kOffered / 2);
  EXPECT_EQ(exported->lost, 0U);
  const std::vector<std::string> lines = report();
  ASSERT_EQ(lines.size(), kOffered / 2);
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < lines.size(); ++i) wrong += !lines[i].ends_with(" n=" + std::to_string(2 * i + 1));
  EXPECT_EQ(wrong, 0U);

  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  TraceDatReader reader = std::move(TraceDatReader::open(as_bytes(bytes))).value();
  std::uint64_t number = 1;
  for (TraceDatReader::Record record{}; reader.next(record); number += 2) {
    wrong += std::get<std::uint64_t>(field_value(record.event->format.fields[0], record.record)) != number;
    wrong += record.time_ns != 7 * (number + 1);
  }
  EXPECT_EQ(number, kOffered + 1);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
