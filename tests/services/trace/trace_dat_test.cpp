// SPDX-License-Identifier: BSD-2-Clause
// A trace.dat as we write it, read by ourselves, whole and damaged; that trace-cmd reads the same of it is in
// tests/hypercall/trace. And `format` files as a kernel has them.
#include "services/trace/trace_dat_reader.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "services/trace/field_value.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "tests/services/trace/some_ring.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

// Three events of two systems in two rings.
struct SomeFile {
  SomeFile() {
    const std::array events = {RecordedEvent{"user_events", "tick", 2000, *EventFormat::parse("tick")},
                               RecordedEvent{"user_events.virtif", "drop", 2001,
                                             *EventFormat::parse("drop s16 n; __rel_loc char[] why; struct s x 3")}};
    const std::array threads = {ThreadName{11, "loop"}, ThreadName{12, "a worker"}};
    put(rings[0], 2000, 5, {});
    put(rings[1], 2001, 6, as_bytes(std::string_view("\xfe\xff\x03\x00\x03\x00\x01\x02\x03no", 12)));
    put(rings[0], 2000, 7, {});
    put(rings[0], 3000, 8, {});  // of an event that the file does not describe
    const std::array<std::uint64_t, 2> pages = {1, 1};
    const std::string head = trace_dat_head(events, threads, pages);
    bytes.assign(as_bytes(head).begin(), as_bytes(head).end());
    for (SomeRing& ring : rings) {
      RingReader::Page page;
      EXPECT_TRUE(ring.reader.next(page, Take::everything));
      bytes.insert(bytes.end(), page.begin(), page.end());
    }
  }
  static void put(SomeRing& ring, std::uint16_t type, std::uint64_t now_ns, Bytes payload) {
    std::byte* const at = ring.writer.begin(kRecordHeaderBytes + payload.size(), now_ns);
    store<std::uint16_t, std::endian::native>(at, type);
    store<std::uint32_t, std::endian::native>(at + 4, 11);
    std::copy(payload.begin(), payload.end(), at + kRecordHeaderBytes);
    ring.writer.commit();
  }

  std::array<SomeRing, 2> rings{SomeRing(2, WhenFull::discard), SomeRing(2, WhenFull::discard)};
  std::vector<std::byte> bytes;
};

TEST(TraceDat, is_read_in_the_order_of_time_with_all_values) {
  const SomeFile file;
  TraceDatReader reader = *TraceDatReader::open(file.bytes);
  EXPECT_EQ(reader.cpus(), 2U);
  EXPECT_EQ(reader.thread_name(12), "a worker");
  EXPECT_EQ(reader.thread_name(13), "");
  std::vector<std::tuple<std::uint64_t, std::size_t, std::string>> found;
  for (TraceDatReader::Record record{}; reader.next(record);) {
    EXPECT_EQ(record.thread_id, 11);
    EXPECT_EQ(record.lost_before, 0U);
    found.emplace_back(record.time_ns, record.cpu, record.event->system + ':' + record.event->name);
    if (record.event->name != "drop") continue;
    const std::vector<Field>& fields = record.event->format.fields;
    EXPECT_EQ(std::get<std::int64_t>(field_value(fields[0], record.record)), -2);
    EXPECT_EQ(std::get<std::string_view>(field_value(fields[1], record.record)), "no");
    const Bytes structure = std::get<Bytes>(field_value(fields[2], record.record));
    EXPECT_EQ(std::vector<std::byte>(structure.begin(), structure.end()),
              (std::vector{std::byte{1}, std::byte{2}, std::byte{3}}));
  }
  EXPECT_EQ(found, (decltype(found){
                       {5, 0, "user_events:tick"}, {6, 1, "user_events.virtif:drop"}, {7, 0, "user_events:tick"}}));
  EXPECT_FALSE(reader.damaged());
}

// What `virtifctl trace record --marker` writes into the kernel's trace.
TEST(TraceDat, has_the_lines_of_a_trace_marker) {
  SomeRing ring(2, WhenFull::discard);
  SomeFile::put(ring, 5, 6, as_bytes(std::string_view("\0\0\0\0\0\0\0\0rx_drop: bytes=3\n\0", 26)));
  const std::array<std::uint64_t, 1> pages = {1};
  std::string file = trace_dat_head({}, {}, pages);
  RingReader::Page page;
  ASSERT_TRUE(ring.reader.next(page, Take::everything));
  file.append(reinterpret_cast<const char*>(page.data()), page.size());
  TraceDatReader reader = *TraceDatReader::open(as_bytes(file));
  TraceDatReader::Record record{};
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.event->system + ':' + record.event->name, "ftrace:print");
  EXPECT_EQ(std::get<std::string_view>(field_value(record.event->format.fields[1], record.record)), "rx_drop: bytes=3");
  EXPECT_TRUE(reader.instances().empty());
}

TEST(TraceDat, says_which_instances_it_leaves_out) {
  std::string file = trace_dat_head({}, {}, {});
  const std::string option("\x03\0\x0d\0\0\0\0\0\0\0\0\0\0\0mine\0\0\0", 21);
  file.insert(file.find("flyrecord"), std::string("options  \0", 10) + option);
  EXPECT_EQ(TraceDatReader::open(as_bytes(file))->instances(), std::vector<std::string>{"mine"});
}

TEST(TraceDat, that_ends_early_or_is_something_else_is_refused_with_what_was_expected) {
  SomeFile file;
  for (std::size_t bytes = 0; bytes < file.bytes.size(); bytes += bytes < 600 ? 1 : 509) {
    EXPECT_EQ(TraceDatReader::open(Bytes(file.bytes).first(bytes)).error().number(), EINVAL) << bytes;
  }
  file.bytes[10] = std::byte{'7'};
  EXPECT_NE(TraceDatReader::open(file.bytes).error().text.find("trace-cmd convert --file-version 6"),
            std::string::npos);
}

TEST(TraceDat, a_damaged_page_is_said_and_the_other_ring_is_read) {
  SomeFile file;
  file.bytes[file.bytes.size() - 2 * kPageBytes + 8] = std::byte{0xff};  // more is committed than is whole
  TraceDatReader reader = *TraceDatReader::open(file.bytes);
  std::size_t drops = 0;
  for (TraceDatReader::Record record{}; reader.next(record);) drops += record.event->name == "drop";
  EXPECT_EQ(drops, 1U);
  EXPECT_TRUE(reader.damaged());
}

TEST(FormatFile, is_read_as_it_was_written) {
  const EventFormat format = *EventFormat::parse(
      "e u8 a; s64 b; unsigned char[5] c; char[1] d; __rel_loc char[] e; __data_loc u8[] f; struct s x 3; int g");
  const FormatFile read = *read_format_file(format_file(format, "e.1f", 2345));
  EXPECT_EQ(read.format.name, "e.1f");
  EXPECT_EQ(read.type_id, 2345);
  EXPECT_EQ(fields_text(read.format), fields_text(format));
  EXPECT_EQ(read.format.fields, format.fields);
}

// sched_switch of Linux 6.1, shortened.
TEST(FormatFile, of_a_kernel_s_event_is_read_with_the_gaps_of_its_alignment) {
  const FormatFile read = *read_format_file(
      "name: sched_switch\nID: 318\nformat:\n"
      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
      "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
      "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
      "\tfield:unsigned long v[4];\toffset:40;\tsize:32;\tsigned:0;\n\n"
      "print fmt: \"prev_comm=%s field:\", REC->prev_comm\n");
  EXPECT_EQ(read.format.fields, (std::vector<Field>{
                                    {"char[16]", "prev_comm", 8, 16, FieldKind::text, false},
                                    {"long", "prev_state", 32, 8, FieldKind::number, true},
                                    {"unsigned long[4]", "v", 40, 32, FieldKind::structure, false},
                                }));
  for (const char* wrong : {"", "name: a\n", "name: a\nID: 65536\n", "name: a\nID: x\n",
                            "name: a\nID: 1\n\tfield:u8 a;\toffset:8;\tsize:;\tsigned:0;\n"}) {
    EXPECT_EQ(read_format_file(wrong).error().number(), EINVAL) << wrong;
  }
}

TEST(FieldValue, of_a_record_that_is_too_short_is_empty) {
  const EventFormat format = *EventFormat::parse("e u32 a; char[8] t; __rel_loc char[] r; __data_loc char[] d");
  std::vector<std::byte> record(kRecordHeaderBytes + format.payload_bytes());
  store<std::uint32_t, std::endian::native>(&record[20], 0xffff'ffffU);
  store<std::uint32_t, std::endian::native>(&record[24], 1U << 16 | 27);
  EXPECT_EQ(std::get<std::string_view>(field_value(format.fields[2], record)), "");
  EXPECT_EQ(std::get<std::string_view>(field_value(format.fields[3], record)), "") << "its one byte is a NUL";
  EXPECT_TRUE(std::get<Bytes>(field_value(format.fields[0], Bytes(record).first(11))).empty());
  EXPECT_EQ(std::get<std::string_view>(field_value(format.fields[1], Bytes(record).first(19))), "");
}

}  // namespace
