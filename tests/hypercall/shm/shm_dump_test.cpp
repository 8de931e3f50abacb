// SPDX-License-Identifier: BSD-2-Clause
// Looking into a segment: whose attachers live, whose are dead, and into one that is full of nonsense.
#include "hypercall/shm/shm_dump.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/hypercall/shm/one_ring.hpp"
#include "tests/hypercall/shm/shm_port.hpp"

namespace {

using namespace vif;
using namespace vif::test;
namespace shm = vif::host::shm;

Result<host::ShmDump> dump(const std::string& linkstr) { return host::dump_shm_segment(*drv::Linkstr::parse(linkstr)); }

std::vector<Frame> frames_of(const host::ShmDump& dump, std::size_t attacher) {
  std::vector<Frame> frames;
  for (const host::ShmFrame& frame : dump.frames) {
    if (frame.attacher == attacher) frames.push_back(frame.bytes);
  }
  return frames;
}

TEST(ShmDump, shows_who_is_there_and_what_was_sent) {
  const ShmSegment segment("dump");
  ShmPort a(segment), b(segment), silent(segment);
  a.send(counting(60));
  b.send(counting(70));
  a.send(counting(80));
  const auto shown = dump(segment.linkstr());
  ASSERT_TRUE(shown) << shown.error().text;
  ASSERT_EQ(shown->attachers.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(shown->attachers[i].place, i);
    EXPECT_EQ(shown->attachers[i].ifname, "virt0");
    EXPECT_EQ(shown->attachers[i].process, static_cast<std::uint64_t>(::getpid()));
    EXPECT_TRUE(shown->attachers[i].attached);
  }
  EXPECT_EQ(frames_of(*shown, 0), (std::vector<Frame>{counting(60), counting(80)}));
  EXPECT_EQ(frames_of(*shown, 1), (std::vector<Frame>{counting(70)}));
  EXPECT_EQ(shown->frames[1].attacher, 1U) << "by time";
  EXPECT_EQ(shown->attachers[0].sent_frames, 2U);
}

TEST(ShmDump, shows_the_last_frames_of_the_dead_and_then_whose_they_were_not) {
  const ShmSegment segment("post-mortem");
  const pid_t child = ::fork();
  if (child == 0) {
    ShmPort killed(segment);
    for (unsigned i = 0; i < 10'000; ++i) killed.send(numbered(60, i));
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  auto shown = dump(segment.linkstr());
  ASSERT_TRUE(shown) << shown.error().text;
  ASSERT_EQ(shown->attachers.size(), 1U);
  EXPECT_FALSE(shown->attachers[0].attached);
  EXPECT_EQ(shown->attachers[0].process, static_cast<std::uint64_t>(child));
  EXPECT_EQ(shown->attachers[0].sent_frames, 10'000U);
  EXPECT_GT(shown->frames.size(), 4000U);
  EXPECT_EQ(shown->frames.back().bytes, numbered(60, 9'999));

  ShmPort heir(segment);
  heir.send(counting(61));
  shown = dump(segment.linkstr());
  ASSERT_TRUE(shown) << shown.error().text;
  ASSERT_EQ(shown->attachers.size(), 2U);
  EXPECT_TRUE(shown->attachers[0].ifname.empty()) << "the dead one, whose place and name the heir has now";
  EXPECT_GT(shown->attachers[0].kept_frames, 4000U);
  EXPECT_EQ(shown->attachers[1].sent_frames, 1U);
  EXPECT_EQ(frames_of(*shown, 1), (std::vector<Frame>{counting(61)}));
}

TEST(ShmDump, says_why_there_is_nothing_to_see) {
  const ShmSegment segment("nothing");
  EXPECT_EQ(dump(segment.linkstr()).error().number(), ENOENT);
  EXPECT_EQ(dump("mem:lan").error().number(), EINVAL);
  EXPECT_EQ(dump("shm:lan").error().number(), EINVAL);
  ShmPort a(segment);
  std::filesystem::resize_file(segment.folder() / "segment", 1);
  EXPECT_EQ(dump(segment.linkstr()).error().number(), EPROTO);
}

TEST(ShmDump, ends_whatever_is_written_into_the_segment) {
  const ShmSegment segment("nonsense");
  ShmPort a(segment);
  for (unsigned i = 0; i < 100; ++i) a.send(numbered(60, i));
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1} << 63, UINT64_MAX}) {
    const SharedView shared(segment);
    shared->places_used.store(static_cast<std::uint32_t>(value));
    shared->attachers[0].first_frame.store(value);
    shared->attachers[0].ifname[0].store(value);
    for (const auto counter : {&shm::Progress::published, &shm::Progress::begun_frames, &shm::Progress::begun_bytes}) {
      for (shm::Progress& progress : shared->progress) (progress.*counter).store(value);
      const auto shown = dump(segment.linkstr());
      ASSERT_TRUE(shown);
      for (const host::ShmAttacher& attacher : shown->attachers) {
        for (const char c : attacher.ifname) EXPECT_TRUE(c > ' ' && c <= '~');
      }
    }
  }
}

}  // namespace
