// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_source.hpp"

#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;

class ReplaySourceTest : public ReplayTest {
 protected:
  struct Read {
    std::uint32_t capture, number;
    bool operator==(const Read&) const = default;
  };
  std::vector<Read> pass(MergedCaptures& from, std::optional<Error>* error = nullptr) {
    std::vector<Read> all;
    for (;;) {
      const Result<std::span<const ReplayFrame>> frames = from.read();
      if (!frames && error != nullptr) *error = frames.error();
      if (!frames || frames->empty()) return all;
      for (const ReplayFrame& frame : *frames) {
        all.push_back({frame.capture, load_be32(frame.record.bytes.data() + kEtherHeaderBytes)});
      }
    }
  }
  std::unique_ptr<MergedCaptures> open(std::vector<std::string> paths) {
    auto opened = MergedCaptures::open(files, std::move(paths));
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
};

TEST_F(ReplaySourceTest, merges_by_time_and_the_first_capture_wins_a_tie) {
  capture_times("a.pcap", {0ns, 10ns, 20ns, 30ns});
  capture_times("b.pcapng", {5ns, 10ns, 40ns});
  EXPECT_EQ(pass(*open({"a.pcap", "b.pcapng"})),
            (std::vector<Read>{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 2}, {0, 3}, {1, 2}}));
}

TEST_F(ReplaySourceTest, each_capture_keeps_its_own_order) {
  capture("a.pcapng", {{20ns, numbered(0)}, {5ns, numbered(1)}, {{}, numbered(2)}, {30ns, numbered(3)}});
  capture_times("b.pcap", {10ns, 25ns});
  const auto merged = open({"a.pcapng", "b.pcap"});
  EXPECT_EQ(pass(*merged), (std::vector<Read>{{1, 0}, {0, 0}, {0, 1}, {0, 2}, {1, 1}, {0, 3}}));
}

TEST_F(ReplaySourceTest, bytes_are_right_across_many_reads_of_many_captures) {
  std::vector<std::string> paths;
  for (std::uint32_t i = 0; i < 20; ++i) {
    std::vector<Recorded> frames;
    for (std::uint32_t n = 0; n < 500; ++n) frames.push_back({Time(n * 20 + i), numbered(n, 60 + 64 * (i % 20))});
    paths.push_back("c" + std::to_string(i) + ".pcap");
    capture(paths.back(), frames);
  }
  const std::vector<Read> all = pass(*open(paths));
  ASSERT_EQ(all.size(), 10'000U);
  for (std::uint32_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], (Read{i % 20, i / 20}));
}

TEST_F(ReplaySourceTest, a_damaged_capture_ends_there_and_the_others_go_on) {
  capture_times("a.pcap", {0ns, 10ns, 20ns});
  capture_times("b.pcap", {5ns, 15ns, 25ns, 35ns});
  files.file("a.pcap").bytes.resize(files.file("a.pcap").bytes.size() - 7);
  std::optional<Error> error;
  EXPECT_EQ(pass(*open({"a.pcap", "b.pcap"}), &error),
            (std::vector<Read>{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1, 2}, {1, 3}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->number(), EBADMSG);
  EXPECT_TRUE(error->text.starts_with("a.pcap: ")) << error->text;
}

TEST_F(ReplaySourceTest, refuses_what_is_no_capture_and_names_it) {
  capture_times("a.pcap", {0ns});
  files.file("b.pcap").bytes = hex("00112233");
  const auto opened = MergedCaptures::open(files, {"a.pcap", "b.pcap"});
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().text.starts_with("b.pcap: ")) << opened.error().text;
  EXPECT_EQ(MergedCaptures::open(files, {"nothing.pcap"}).error().number(), ENOENT);
}

TEST_F(ReplaySourceTest, passes_are_the_same_and_a_pipe_has_only_one) {
  capture_times("a.pcap", {0ns, 10ns});
  const auto merged = open({"a.pcap"});
  const std::vector<Read> first = pass(*merged);
  ASSERT_TRUE(merged->rewind());
  EXPECT_EQ(pass(*merged), first);
  files.file("a.pcap").bytes.clear();
  const Status again = merged->rewind();
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text.find("not a pipe"), std::string::npos);
}

TEST_F(ReplaySourceTest, gives_nothing_of_one_that_may_come_after_what_another_has_not_said_yet) {
  capture_times("pipe.pcap", {0ns, 10ns});
  capture_times("b.pcap", {5ns, 15ns});
  host::sim::SimFile& pipe = files.file("pipe.pcap");
  pipe.read_errno = EAGAIN;
  pipe.read_fails_at = pipe.bytes.size() - 20;  // in the midst of the second
  const auto merged = open({"pipe.pcap", "b.pcap"});
  std::optional<Error> error;
  EXPECT_EQ(pass(*merged, &error), (std::vector<Read>{{0, 0}}));
  EXPECT_EQ(error->number(), EAGAIN);
  EXPECT_EQ(pass(*merged), std::vector<Read>{}) << "still nothing";
  pipe.read_fails_at = host::sim::SimFile::kNever;
  EXPECT_EQ(pass(*merged), (std::vector<Read>{{1, 0}, {0, 1}, {1, 1}}));
}

}  // namespace
