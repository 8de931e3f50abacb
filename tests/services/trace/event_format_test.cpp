// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/event_format.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace {

using namespace vif::trace;

int error_of(const std::string& command) {
  const auto format = EventFormat::parse(command);
  return format ? 0 : format.error().number();
}

TEST(EventFormat, packs_fields_after_the_record_s_header) {
  const auto format = EventFormat::parse("e u8 a;u64 b; struct s c 5;char[3] d;__rel_loc char[] f");
  ASSERT_TRUE(format);
  const std::vector<Field> expected = {
      {"u8", "a", 8, 1, FieldKind::number, false},
      {"u64", "b", 9, 8, FieldKind::number, false},
      {"struct s", "c", 17, 5, FieldKind::structure, true},
      {"char[3]", "d", 22, 3, FieldKind::text, true},
      {"__rel_loc char[]", "f", 25, 4, FieldKind::rel_loc, true},
  };
  EXPECT_EQ(format->fields, expected);
  EXPECT_EQ(format->payload_bytes(), 21U);
  EXPECT_EQ(EventFormat::parse("e")->payload_bytes(), 0U);
}

TEST(EventFormat, skips_empty_fields_and_what_stands_before_one) {
  for (const char* command : {"e u32 a;", "e ;;u32 a", "e  u32 a", "e \t\nu32 a;  ;"}) {
    const auto format = EventFormat::parse(command);
    ASSERT_TRUE(format) << command;
    EXPECT_EQ(fields_text(*format), "u32 a");
  }
}

TEST(EventFormat, refuses_what_the_kernel_refuses) {
  for (const char* command : {"e u32  a",
                              "e u32 a ",
                              "e u32",
                              "e u32 ",
                              "e long a",
                              "e bool a",
                              "e float a",
                              "e u32[4] a",
                              "e char[] a",
                              "e char[0] a",
                              "e char[1025] a",
                              "e char[-1] a",
                              "e char[08] a",
                              "e char[0x] a",
                              "e char[4 a",
                              "e unsigned a",
                              "e unsigned long a",
                              "e struct a",
                              "e struct s a",
                              "e struct s a 0",
                              "e struct s a x",
                              "e struct s a 0x10",
                              "e struct s a 5 ",
                              "e struct s a 5 5",
                              "e u32 a 4",
                              "e __data_loc",
                              "e __data_loc char[]",
                              "e u32\ta"}) {
    EXPECT_EQ(error_of(command), EINVAL) << command;
  }
}

TEST(EventFormat, reads_numbers_in_c_s_bases) {
  for (const char* command : {"e char[16] a", "e char[0x10] a", "e char[0X10] a", "e char[020] a"}) {
    EXPECT_EQ(EventFormat::parse(command)->fields[0].size, 16U) << command;
  }
}

TEST(EventFormat, does_not_look_at_what_dynamic_data_is_of) {
  for (const char* type : {"__data_loc whatever", "__rel_loc unsigned whatever", "__rel_loc u8[]"}) {
    const auto format = EventFormat::parse(std::string("e ") + type + " a");
    ASSERT_TRUE(format) << type;
    EXPECT_EQ(format->fields[0].size, 4U);
    EXPECT_FALSE(format->fields[0].is_dynamic_text());
  }
}

TEST(EventFormat, says_where_and_what_was_expected) {
  const std::string text = EventFormat::parse("e u32 a; long b").error().text;
  EXPECT_NE(text.find("\"long b\""), std::string::npos);
  EXPECT_NE(text.find("s8 to s64"), std::string::npos);
}

TEST(EventFormat, writes_the_format_file_as_libtraceevent_reads_it) {
  const auto format = EventFormat::parse("e u32 n; char[8] c; __rel_loc char[] m; __data_loc char[] d; struct s t 3");
  EXPECT_EQ(format_file(*format, "e.0", 2001),
            "name: e.0\nID: 2001\nformat:\n"
            "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
            "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
            "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
            "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
            "\tfield:u32 n;\toffset:8;\tsize:4;\tsigned:0;\n"
            "\tfield:char c[8];\toffset:12;\tsize:8;\tsigned:1;\n"
            "\tfield:__rel_loc char m[];\toffset:20;\tsize:4;\tsigned:1;\n"
            "\tfield:__data_loc char[] d;\toffset:24;\tsize:4;\tsigned:1;\n"
            "\tfield:struct s t;\toffset:28;\tsize:3;\tsigned:1;\n\n"
            "print fmt: \"n=%u c=%s m=%s d=%s t=%llu\", REC->n, REC->c, __get_rel_str(m), __get_str(d), REC->t\n");
}

TEST(EventFormat, prints_nothing_of_an_event_without_fields) {
  EXPECT_EQ(print_format(*EventFormat::parse("e")), "\"\"");
}

}  // namespace
