// SPDX-License-Identifier: BSD-2-Clause
// Names that tools which take C identifiers alone could not read.
#include <gtest/gtest.h>

#include "services/trace/ctf_writer.hpp"
#include "services/trace/identifiers.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

using Names = std::vector<std::string>;

TEST(Identifiers, are_as_many_as_the_names_and_no_two_the_same) {
  EXPECT_EQ(identifiers(Names{"a-b", "a_b", "a.b", "a_b_2", "a-b"}),
            (Names{"a_b_3", "a_b", "a_b_4", "a_b_2", "a_b_5"}));
  EXPECT_EQ(identifiers(Names{"", "1x", "\xc3\xa9", "x", "x"}), (Names{"_", "_1x", "__", "x", "x_2"}));
}

std::string metadata_of(const char* command, const char* name) {
  const EventFormat format = *EventFormat::parse(command);
  return ctf_metadata({{std::uint16_t{2000}, RecordedEvent{"user_events", name, 2000, format}}});
}

TEST(CtfMetadata, gives_no_two_fields_one_name) {
  EXPECT_NE(metadata_of("coll u32 data_bytes; __rel_loc u8[] data", "coll")
                .find("{ u32 _data_bytes; u16 _data_bytes_2; u8 _data[_data_bytes_2]; }"),
            std::string::npos);
  EXPECT_NE(metadata_of("coll u32 a-b; u32 a_b", "coll").find("{ u32 _a_b_2; u32 _a_b; }"), std::string::npos);
}

TEST(CtfMetadata, keeps_letters_of_any_language_in_an_event_s_name) {
  EXPECT_NE(metadata_of("e", "caf\xc3\xa9\n").find("\"user_events:caf\xc3\xa9_\""), std::string::npos);
}

TEST(TraceDatHead, has_names_that_libtraceevent_reads_and_one_line_a_thread) {
  const std::array events = {
      RecordedEvent{"user_events_multi", "ev.0", 2000, *EventFormat::parse("ev u32 x-y; u32 x_y")},
      RecordedEvent{"user_events_multi", "ev.1", 2001, *EventFormat::parse("ev")},
      RecordedEvent{"user_events_multi", "ev_0", 2002, *EventFormat::parse("ev_0")}};
  const std::array threads = {ThreadName{11, "two\n12 lines"}};
  const std::string head = trace_dat_head(events, threads, {});
  const TraceDatReader reader = *TraceDatReader::open(as_bytes(head));
  Names names;
  for (const auto& [id, event] : reader.events()) {
    if (event.system != kFtraceSystem) names.push_back(event.name);
  }
  EXPECT_EQ(names, (Names{"ev_0_2", "ev_1", "ev_0"}));
  const std::vector<Field>& fields = reader.events().at(2000).format.fields;
  EXPECT_EQ((Names{fields[0].name, fields[1].name}), (Names{"x_y_2", "x_y"}));
  EXPECT_EQ(reader.thread_name(11), "two_12 lines");
  EXPECT_EQ(reader.thread_name(12), "");
}

}  // namespace
