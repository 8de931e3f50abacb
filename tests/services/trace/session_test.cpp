// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/session.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "services/trace/event.hpp"
#include "services/trace/page_events.hpp"
#include "tests/services/trace/rig.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

struct Read {
  std::uint16_t type;
  std::int32_t thread;
  std::vector<std::byte> payload;
};

std::vector<Read> read_all(Session& session) {
  std::vector<Read> all;
  for (const auto& reader : session.readers()) {
    for (RingReader::Page page; reader->next(page, Take::everything);) {
      PageEvents events(page);
      for (PageEvent event; events.next(event);) {
        const Bytes record = event.record;
        all.push_back({load<std::uint16_t, std::endian::native>(&record[0]),
                       static_cast<std::int32_t>(load<std::uint32_t, std::endian::native>(&record[4])),
                       {record.begin() + kRecordHeaderBytes, record.end()}});
      }
    }
  }
  return all;
}

class SessionTest : public testing::Test {
 protected:
  std::unique_ptr<Session> open(const Session::Settings& settings = {}) {
    return std::move(Session::open(*tracing, pages, settings)).value();
  }
  int write(std::int32_t index, std::uint32_t value) {
    const Bytes slice = std::as_bytes(std::span(&value, 1));
    return data->write(writer, index, Slices(std::span(&slice, 1)));
  }
  UserEvent& add(const std::string& command) { return data->add(command)->event; }

  HeapPages pages;
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
  std::unique_ptr<DataFile> data = std::move(tracing->open_data(0)).value();
  SetClock clock;
  Writer writer{77, clock};
};

TEST_F(SessionTest, records_what_is_enabled) {
  const UserEvent &a = add("a u32 v"), &b = add("b u32 v");
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  EXPECT_EQ(*session->enable("user_events:a"), 1U);
  EXPECT_TRUE(a.enabled());
  EXPECT_FALSE(b.enabled());
  EXPECT_EQ(write(0, 5), 0);
  EXPECT_EQ(write(1, 6), EBADF);
  const std::vector<Read> read = read_all(*session);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].type, a.type_id);
  EXPECT_EQ(read[0].thread, 77);
  EXPECT_EQ(read[0].payload[0], std::byte{5});
  session->disable("a");
  EXPECT_FALSE(a.enabled());
}

TEST_F(SessionTest, patterns_hold_for_events_that_come_later) {
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  EXPECT_EQ(*session->enable("user_events.g:net_*"), 0U);
  Group& group = **tracing->create_group("g");
  auto file = std::move(tracing->open_data(group.id())).value();
  EXPECT_TRUE(file->add("net_rx u32 v")->event.enabled());
  EXPECT_FALSE(file->add("disk u32 v")->event.enabled());
  EXPECT_FALSE(add("net_rx u32 v").enabled()) << "another group's";
  session->disable("user_events.g:net_*");
  EXPECT_FALSE(file->add("net_tx u32 v")->event.enabled());
}

TEST_F(SessionTest, keeps_what_the_filter_says_before_it_takes_room) {
  add("a u32 v");
  auto session = open({.ring_pages = 2});
  ASSERT_TRUE(session->add_writer(writer));
  ASSERT_TRUE(session->enable("a", "v > 10 && v & 1"));
  for (std::uint32_t i = 0; i < 100'000; ++i) EXPECT_EQ(write(0, i % 16), 0) << "a miss is no error";
  ASSERT_TRUE(session->enable("a", "v == 3"));
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(write(0, i), 0);
  const std::vector<Read> read = read_all(*session);
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto v = std::to_integer<unsigned>(read[i].payload[0]);
    EXPECT_TRUE(v == 11 || v == 13 || v == 15 || (v == 3 && i + 1 == read.size())) << v;
  }
  EXPECT_EQ(read.size() + session->readers()[0]->lost(), 3 * 100'000U / 16 + 1);
}

TEST_F(SessionTest, a_filter_that_fits_no_event_is_an_error_and_one_that_fits_some_is_theirs) {
  const UserEvent &a = add("a u32 v"), &b = add("b u32 w");
  auto session = open();
  EXPECT_EQ(session->enable("a", "w == 1").error().number(), EINVAL);
  EXPECT_FALSE(a.enabled());
  EXPECT_EQ(*session->enable("*", "w == 1"), 1U);
  EXPECT_FALSE(a.enabled());
  EXPECT_TRUE(b.enabled());
}

TEST_F(SessionTest, several_go_on_at_once_each_with_its_own) {
  UserEvent& a = add("a u32 v");
  auto one = open(), two = open({.when_full = WhenFull::overwrite, .ring_pages = 2});
  ASSERT_TRUE(one->add_writer(writer));
  ASSERT_TRUE(two->add_writer(writer));
  ASSERT_TRUE(one->enable("a", "v < 3"));
  ASSERT_TRUE(two->enable("a"));
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(write(0, i), 0);
  one->stop();
  EXPECT_TRUE(a.enabled());
  EXPECT_EQ(write(0, 0), 0);
  EXPECT_EQ(read_all(*one).size(), 3U) << "what was recorded stays to be read";
  EXPECT_EQ(read_all(*two).size(), 6U);
  one.reset();
  two.reset();
  EXPECT_FALSE(a.enabled());
  EXPECT_EQ(write(0, 0), EBADF);
}

TEST_F(SessionTest, a_thread_without_a_ring_loses_and_counts) {
  add("a u32 v");
  auto session = open();
  ASSERT_TRUE(session->enable("a"));
  EXPECT_EQ(write(0, 1), 0);
  EXPECT_EQ(session->lost_without_ring(), 1U);
  ASSERT_TRUE(session->add_writer(writer));
  EXPECT_EQ(write(0, 2), 0);
  session->remove_writer(writer);
  EXPECT_EQ(write(0, 3), 0);
  EXPECT_EQ(session->lost_without_ring(), 2U);
  EXPECT_EQ(read_all(*session).size(), 1U);
}

TEST_F(SessionTest, tells_what_was_lost_once) {
  add("a u32 v");
  auto session = open({.ring_pages = 2});
  ASSERT_TRUE(session->enable("a"));
  EXPECT_EQ(write(0, 1), 0);
  ASSERT_TRUE(session->add_writer(writer));
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(write(0, i), 0);
  const std::uint64_t kept = read_all(*session).size();
  EXPECT_EQ(session->take_lost(), 1001 - kept);
  EXPECT_EQ(session->take_lost(), 0U);
  EXPECT_EQ(write(0, 1), 0);
  EXPECT_EQ(read_all(*session).size(), 1U);
  EXPECT_EQ(session->take_lost(), 0U);
}

TEST_F(SessionTest, a_filter_again_takes_the_place_of_the_one_before) {
  add("a u32 v");
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session->enable("a", "v == 7"));
  session->free_replaced_filters();
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(write(0, i), 0);
  EXPECT_EQ(read_all(*session).size(), 1U);
}

TEST_F(SessionTest, an_invalid_record_leaves_nothing_behind) {
  add("a __rel_loc char[] text");
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  ASSERT_TRUE(session->enable("a", "text == \"x\""));
  EXPECT_EQ(write(0, dyn_loc(0, 100)), EFAULT);
  const std::array<std::uint32_t, 2> good = {dyn_loc(0, 2), 'x'};
  const Bytes slice = std::as_bytes(std::span(good));
  EXPECT_EQ(data->write(writer, 0, Slices(std::span(&slice, 1))), 0);
  EXPECT_EQ(read_all(*session).size(), 1U);
  EXPECT_EQ(session->readers()[0]->lost(), 0U);
}

TEST_F(SessionTest, a_signal_amidst_a_record_loses_its_own_and_nothing_else) {
  add("a u32 v");
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  ASSERT_TRUE(session->enable("a"));
  class Interrupted final : public Payload {
   public:
    explicit Interrupted(const std::function<void()>& handler) : handler_(handler) {}
    std::size_t bytes() const override { return 4; }
    bool copy_to(MutBytes to) const override {
      handler_();
      store<std::uint32_t, std::endian::native>(to.data(), 7);
      return true;
    }

   private:
    const std::function<void()>& handler_;
  };
  const std::function<void()> handler = [&] { EXPECT_EQ(write(0, 666), 0); };
  EXPECT_EQ(data->write(writer, 0, Interrupted(handler)), 0);
  EXPECT_EQ(write(0, 8), 0);
  const std::vector<Read> read = read_all(*session);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].payload[0], std::byte{7});
  EXPECT_EQ(read[1].payload[0], std::byte{8});
  EXPECT_EQ(session->readers()[0]->lost(), 1U);
  EXPECT_FALSE(writer.busy());
}

TEST_F(SessionTest, says_what_it_cannot_have) {
  EXPECT_EQ(Session::open(*tracing, pages, {.ring_pages = 1}).error().number(), EINVAL);
  EXPECT_EQ(Session::open(*tracing, pages, {.ring_pages = kRingPagesMax + 1}).error().number(), EINVAL);
  auto session = open();
  pages.bytes_left = 0;
  EXPECT_EQ(session->add_writer(writer).error().number(), ENOMEM);
  EXPECT_EQ(Session::open(*tracing, pages, {}).error().number(), ENOMEM);
}

TEST_F(SessionTest, typed_events_lay_out_what_they_register) {
  Event<"net_drop reason bytes tag ifname why", std::uint16_t, std::int64_t, std::array<char, 3>, std::string_view,
        std::string_view>
      event;
  EXPECT_EQ(event.command(),
            "net_drop u16 reason; s64 bytes; char[3] tag; __rel_loc char[] ifname; __rel_loc char[] why;");
  ASSERT_TRUE(event.bind(*data));
  int asked = 0;
  const auto now = [&] { return ++asked, std::uint64_t{5}; };
  const auto write_one = [&] { event(writer, now, 7, -2, {'a', 'b', 'c'}, "virt0", "full"); };
  write_one();
  EXPECT_EQ(asked, 0) << "nobody records: no clock is read";
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  ASSERT_TRUE(session->enable("net_drop", "reason == 7 && ifname ~ \"virt*\" && why == \"full\""));
  EXPECT_TRUE(event.enabled());
  write_one();
  event(writer, now, 8, -2, {'a', 'b', 'c'}, "virt0", "full");
  event(writer, now, 7, -2, {'a', 'b', 'c'}, "virt0", std::string(5000, 'x'));
  EXPECT_EQ(asked, 3);
  const std::vector<Read> read = read_all(*session);
  ASSERT_EQ(read.size(), 1U);
  const EventFormat format = session->events()[0].format;
  std::vector<std::byte> record(kRecordHeaderBytes + read[0].payload.size());
  std::copy(read[0].payload.begin(), read[0].payload.end(), record.begin() + kRecordHeaderBytes);
  EXPECT_TRUE(locations_valid(format, record));
  session->stop();
  EXPECT_FALSE(event.enabled());
}

TEST_F(SessionTest, typed_events_reach_probes_that_have_no_rings) {
  Event<"tick n", std::uint32_t> tick;
  ASSERT_TRUE(tick.bind(*data));
  KeepingProbe probe(ProbeKind::other);
  tracing->enable(*tracing->root().find("tick"), *tracing->add_probe(probe));
  tick(
      writer, [] { return std::uint64_t{0}; }, 9);
  ASSERT_EQ(probe.records.size(), 1U);
  EXPECT_EQ(probe.records[0][0], std::byte{9});
  tick.unbind();
  tick(
      writer, [] { return std::uint64_t{0}; }, 9);
  EXPECT_EQ(probe.records.size(), 1U);
}

TEST_F(SessionTest, typed_events_without_fields) {
  Event<"tick"> tick;
  EXPECT_EQ(tick.command(), "tick");
  ASSERT_TRUE(tick.bind(*data));
  auto session = open();
  ASSERT_TRUE(session->add_writer(writer));
  ASSERT_TRUE(session->enable("tick"));
  tick(writer, [] { return std::uint64_t{0}; });
  EXPECT_EQ(read_all(*session).size(), 1U);
}

}  // namespace
