// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/filter.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace {

using namespace vif;
using namespace vif::trace;

const EventFormat& format() {
  static const EventFormat format = *EventFormat::parse(
      "e s32 a; u32 b; u8 c; s64 d; char[8] name; __rel_loc char[] rel; __data_loc char[] data; struct s odd 3; u16 h");
  return format;
}

struct Values {
  std::int32_t a = 0;
  std::uint32_t b = 0;
  std::uint8_t c = 0;
  std::int64_t d = 0;
  std::string name = "", rel = "", data = "";
};

std::vector<std::byte> record(const Values& values) {
  std::vector<std::byte> bytes(kRecordHeaderBytes + format().payload_bytes());
  const auto put = [&](const char* field, const void* from, std::size_t size) {
    std::memcpy(&bytes[format().find(field)->offset], from, size);
  };
  put("a", &values.a, 4);
  put("b", &values.b, 4);
  put("c", &values.c, 1);
  put("d", &values.d, 8);
  put("name", values.name.data(), std::min<std::size_t>(values.name.size(), 8));
  const std::uint32_t pid = 42;
  std::memcpy(&bytes[4], &pid, 4);
  const auto append = [&](const std::string& text) {
    const std::size_t at = bytes.size();
    for (const char c : text + '\0') bytes.push_back(static_cast<std::byte>(c));
    return at;
  };
  const std::size_t rel_at = append(values.rel), data_at = append(values.data);
  const auto rel =
      static_cast<std::uint32_t>((values.rel.size() + 1) << 16 | (rel_at - format().find("rel")->offset - 4));
  const auto data = static_cast<std::uint32_t>((values.data.size() + 1) << 16 | data_at);
  put("rel", &rel, 4);
  put("data", &data, 4);
  return bytes;
}

bool keeps(const char* text, const Values& values) {
  const auto filter = Filter::parse(text, format());
  EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error().text);
  return filter && filter->matches(record(values));
}

int error_of(const std::string& text) {
  const auto filter = Filter::parse(text, format());
  return filter ? 0 : filter.error().number();
}

TEST(Filter, numbers) {
  const Values values{.a = -5, .b = 0x10, .c = 200, .d = -1};
  for (const char* yes :
       {"a == -5", "a<-4", "a <= -5", "a > -6", "a != 5", "b == 0x10", "b==020", "b == 16", "b & 0x30", "c > 127",
        "c & 8", "d == -1", "d & 1", "d < 0", "common_pid == 42", "common_type == 0"}) {
    EXPECT_TRUE(keeps(yes, values)) << yes;
  }
  for (const char* no : {"a == 5", "a < -5", "a > 0", "b & 0xf", "b == 010", "c < 127", "d > 0", "common_pid == 41"}) {
    EXPECT_FALSE(keeps(no, values)) << no;
  }
}

TEST(Filter, a_number_too_wide_is_cut_to_its_field_as_the_kernel_does) {
  EXPECT_TRUE(keeps("a == 0x1fffffffb", {.a = -5}));
  EXPECT_TRUE(keeps("c == 256", {.c = 0}));
}

TEST(Filter, texts) {
  const Values values{.name = "virt0", .rel = "x y", .data = "bash"};
  for (const char* yes : {"name == \"virt0\"", "name == 'virt0'", "name != \"virt\"", "name ~ \"virt*\"",
                          "name ~ \"*0\"", "name ~ \"*ir*\"", "name ~ \"v?rt[0-3]\"", "rel == \"x y\"",
                          "data ~ \"ba*\"", "data ~ \"*\"", "data ~ \"*a?[bch]*\"", "name ~ \"virt[!1-9]\""}) {
    EXPECT_TRUE(keeps(yes, values)) << yes;
  }
  for (const char* no : {"name == \"virt\"", "name != \"virt0\"", "name ~ \"irt*\"", "rel == \"x\"", "data ~ \"?bash\"",
                         "data ~ \"bas\"", "name ~ \"virt[1-9]\""}) {
    EXPECT_FALSE(keeps(no, values)) << no;
  }
  EXPECT_FALSE(keeps("data ~ \"!ba*\"", values));
  EXPECT_TRUE(keeps("!data ~ \"!ba*\"", values));
  EXPECT_TRUE(keeps("data ~ \"!bo*\"", values));
  EXPECT_TRUE(keeps("name ~ \"1*\"", {.name = "12"})) << "where Linux compares with the text 1*";
  EXPECT_TRUE(keeps("name ~ \"[a-\xff]\"", {.name = "\xe9"})) << "bytes have no sign";
  EXPECT_TRUE(keeps("name == \"12345678\"", {.name = "12345678"})) << "a full array has no NUL";
}

TEST(Filter, joins) {
  // Every assignment of three bits, against the compiler's own reading of the same words.
  for (int bits = 0; bits < 8; ++bits) {
    const bool x = bits & 1, y = bits & 2, z = bits & 4;
    const Values values{.a = x, .b = y, .c = z};
    const auto check = [&](const char* text, bool expected) {
      EXPECT_EQ(keeps(text, values), expected) << text << bits;
    };
    check("a == 1 && b == 1 || c == 1", (x && y) || z);
    check("a == 1 || b == 1 && c == 1", x || (y && z));
    check("(a == 1 || b == 1) && c == 1", (x || y) && z);
    check("!(a == 1 || b == 1) && c == 1", !(x || y) && z);
    check("!a == 1 && b == 1", !x && y);
    check("!(a == 1 && !(b == 1 || !c == 1))", !(x && !(y || !z)));
    check("!!a==1", x);
    check("((a == 1)) && (b==1)||(c==1)", (x && y) || z);
    check("a == 1 && b == 1 && c == 1", x && y && z);
    check("a == 1 || b == 1 || c == 1", x || y || z);
    check("!(!(a == 1) || !(b == 1))", x && y);
  }
}

TEST(Filter, accepts_and_refuses_with_the_errors_of_the_kernel) {
  for (const char* good : {"a == 1 &&", "a == 1 ||", " a==1 ", "a==1&&b==2", "a == 99999999999", "a == 1 && !",
                           "b == 0X10", "name == \"a(\"", "name == \"\""}) {
    EXPECT_EQ(error_of(good), 0) << good;
  }
  for (const char* bad : {"",
                          "  ",
                          "()",
                          "!",
                          "name == bash",
                          "name ~ ba*",
                          "a ~ 1",
                          "nothing == 1",
                          "a = 1",
                          "a !~ 1",
                          "a == x",
                          "a == \"1\"",
                          "name == 1",
                          "name < \"a\"",
                          "odd == 1",
                          "b == -1",
                          "a == 0xg",
                          "a == 08",
                          "b == 99999999999999999999",
                          "a",
                          "a =="}) {
    EXPECT_EQ(error_of(bad), EINVAL) << bad;
  }
  EXPECT_EQ(error_of("(a==1"), ENOENT);
  EXPECT_EQ(error_of("a==1)"), EPERM);
  for (const char* bad : {"&& a == 1", "(a == 1 && )", "a == 1;", "a == 1 && || b == 2", "!~ a", "a == 1 | 2"}) {
    EXPECT_EQ(error_of(bad), EPERM) << bad;
  }
  EXPECT_EQ(error_of("(!)"), EPERM);
  EXPECT_EQ(error_of("b < 1.5"), EPERM);
  EXPECT_EQ(error_of("a != 0 & b == 1"), EPERM);
  EXPECT_EQ(error_of("a == 1 b == 2"), EPERM);
  EXPECT_EQ(error_of("name == \"x"), ESRCH);
  EXPECT_EQ(error_of("a == 1" + std::string(4090, ' ')), EINVAL) << "longer than a page";
  EXPECT_EQ(error_of(std::string(65, '(') + "a==1" + std::string(65, ')')), EINVAL);
  EXPECT_EQ(error_of(std::string(64, '(') + "a==1" + std::string(64, ')')), 0);
  EXPECT_EQ(error_of("name == \"" + std::string(256, 'x') + "\""), EINVAL);
}

TEST(Filter, says_where) {
  EXPECT_EQ(Filter::parse("a == 1 && nope == 2", *EventFormat::parse("e u32 a")).error().text,
            "filter, character 15: no such field; 'e' has: u32 a");
}

TEST(Glob, goes_back_to_the_last_star) {
  EXPECT_TRUE(glob_matches("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbXbX"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("?", ""));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("[a", "[a")) << "a class without end is a bracket";
  EXPECT_TRUE(glob_matches("[]]", "]"));
  EXPECT_TRUE(glob_matches("\\*", "*"));
  EXPECT_FALSE(glob_matches("\\*", "x"));
}

}  // namespace
