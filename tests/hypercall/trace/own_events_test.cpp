// SPDX-License-Identifier: BSD-2-Clause
// Tracepoints of our own code as events that sessions record.
#include "hypercall/trace/own_events.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "hypercall/trace/mapped_pages.hpp"
#include "netstack/if_trace.hpp"
#include "services/trace/field_value.hpp"
#include "services/trace/page_events.hpp"
#include "services/trace/session.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class OneClock final : public ClockPort {
 public:
  Time now() override { return Time{1}; }
  std::int64_t wall_ns() override { return 0; }
};

class OwnEventsTest : public testing::Test {
 protected:
  std::unique_ptr<host::OwnEvents> attach(net::IfTrace& of) {
    return std::move(host::OwnEvents::attach(*tracing, "virtif", of.all(), writer)).value();
  }
  std::unique_ptr<Session> record(std::string_view pattern, std::string_view filter = {}) {
    auto session = std::move(Session::open(*tracing, pages, {})).value();
    const Result<std::size_t> enabled = session->enable(pattern, filter);
    EXPECT_TRUE(enabled && *enabled > 0) << pattern;
    EXPECT_TRUE(session->add_writer(writer));
    return session;
  }
  // The interfaces' names in what was recorded.
  static std::vector<std::string> names(Session& session) {
    std::vector<std::string> found;
    RingReader::Page page;
    while (session.readers()[0]->next(page, Take::everything)) {
      PageEvents events(page);
      for (PageEvent event; events.next(event);) {
        const auto type = load<std::uint16_t, std::endian::native>(event.record.data());
        for (const RecordedEvent& known : session.events()) {
          if (known.type_id != type) continue;
          found.emplace_back(std::get<std::string_view>(field_value(known.format.fields[0], event.record)));
        }
      }
    }
    return found;
  }

  OneClock clock;
  host::MappedPages pages;
  Writer writer{7, clock};
  std::unique_ptr<Tracing> tracing = std::move(Tracing::open(pages)).value();
  net::IfTrace points;
};

using Names = std::vector<std::string>;

TEST_F(OwnEventsTest, are_off_until_a_session_wants_them_and_when_it_has_gone) {
  const auto events = attach(points);
  for (const AnyTracepoint* point : points.all()) EXPECT_FALSE(point->enabled());
  {
    const auto session = record("virtif:running");
    EXPECT_TRUE(points.running.enabled());
    EXPECT_FALSE(points.linkstate.enabled());
    points.running("virt0", 1);
    points.linkstate("virt0", "up", "");
    EXPECT_EQ(names(*session), Names{"virt0"});
  }
  EXPECT_FALSE(points.running.enabled());
}

TEST_F(OwnEventsTest, of_two_domains_are_the_same_events) {
  net::IfTrace other;
  const auto events = attach(points);
  const auto session = record("virtif:*");
  auto others = attach(other);
  EXPECT_TRUE(other.rx_burst.enabled()) << "also when it came later";
  points.rx_burst("virt0", 1);
  other.rx_burst("virt1", 1);
  others.reset();
  other.rx_burst("virt1", 1);
  points.rx_burst("virt0", 1);
  EXPECT_EQ(names(*session), (Names{"virt0", "virt1", "virt0"}));
  EXPECT_EQ(session->events().size(), points.all().size());
}

TEST_F(OwnEventsTest, are_filtered_by_their_texts) {
  const auto events = attach(points);
  const auto session = record("virtif:linkstate", "state == \"down\" && why ~ \"*gone*\"");
  points.linkstate("virt0", "down", "the wire has gone away");
  points.linkstate("virt1", "up", "the wire has gone away");
  points.linkstate("virt2", "down", "");
  EXPECT_EQ(names(*session), Names{"virt0"});
}

TEST_F(OwnEventsTest, belong_to_one_recorder_at_a_time) {
  auto events = attach(points);
  const auto second = host::OwnEvents::attach(*tracing, "virtif", points.all(), writer);
  EXPECT_EQ(second.error().number(), EBUSY);
  EXPECT_EQ(points.running.sink(), points.linkstate.sink()) << "the first is still there";
  EXPECT_NE(points.running.sink(), nullptr);
  events.reset();
  EXPECT_EQ(points.running.sink(), nullptr);
  EXPECT_TRUE(host::OwnEvents::attach(*tracing, "virtif", points.all(), writer));
  EXPECT_TRUE(tracing->remove_group("virtif")) << "nothing of it is left open";
}

}  // namespace
