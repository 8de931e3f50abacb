// SPDX-License-Identifier: BSD-2-Clause
// The grammar of link strings: what each good one means, and that each bad one says where it is wrong and what was
// expected there.
#include "virtif/linkstr.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace vif;
using namespace vif::drv;

using Options = std::vector<Linkstr::Option>;

struct Good {
  std::string_view text;
  std::string scheme, argument;
  Options options = {};
  bool nested = false;
};

const Good kGood[] = {
    {"null:", "null", ""},
    {"tap:tap0", "tap", "tap0"},
    {"t2:x", "t2", "x"},
    {"pcap:/var/log/a file.pcap", "pcap", "/var/log/a file.pcap"},
    {"pcap:a:b=c", "pcap", "a:b=c"},
    {"mem:lan0,loss=", "mem", "lan0", {{"loss", ""}}},
    {"mem:lan0,loss", "mem", "lan0", {{"loss", std::nullopt}}},
    {"tap:t0,offload=off,a-b_C9=x=y", "tap", "t0", {{"offload", "off"}, {"a-b_C9", "x=y"}}},
    {"null:,x", "null", "", {{"x", std::nullopt}}},
    // Percent: %XX is a byte, any other '%' itself.
    {"mem:a%2Cb%2cc", "mem", "a,b,c"},
    {"mem:%5Bx%5d%25", "mem", "[x]%"},
    {"mem:%41%zz", "mem", "A%zz"},
    {"mem:%", "mem", "%"},
    {"mem:%4", "mem", "%4"},
    {"mem:%%41", "mem", "%A"},
    {"mem:x,loss=1%", "mem", "x", {{"loss", "1%"}}},
    {"mem:x,loss=1%,y", "mem", "x", {{"loss", "1%"}, {"y", std::nullopt}}},
    {"mem:\xc3\xa9 \t\n", "mem", "\xc3\xa9 \t\n"},
    // Nested: kept as it is, for its own opener to read.
    {"impair:[tap:t0,offload=off],loss=1%", "impair", "tap:t0,offload=off", {{"loss", "1%"}}, true},
    {"impair:[impair:[mem:a],x=%2C],y", "impair", "impair:[mem:a],x=%2C", {{"y", std::nullopt}}, true},
    {"impair:[]", "impair", "", {}, true},
    {"a:[[[[[[[[x]]]]]]]]", "a", "[[[[[[[x]]]]]]]", {}, true},
};

TEST(Linkstr, means_what_the_grammar_says) {
  for (const Good& good : kGood) {
    const auto link = Linkstr::parse(good.text);
    ASSERT_TRUE(link) << good.text << ": " << link.error().text;
    EXPECT_EQ(link->scheme, good.scheme) << good.text;
    EXPECT_EQ(link->argument, good.argument) << good.text;
    EXPECT_EQ(link->argument_nested, good.nested) << good.text;
    EXPECT_EQ(link->options, good.options) << good.text;
  }
}

TEST(Linkstr, is_read_back_as_what_was_written) {
  for (const Good& good : kGood) {
    const auto link = Linkstr::parse(good.text);
    ASSERT_TRUE(link);
    const auto again = Linkstr::parse(link->format());
    ASSERT_TRUE(again) << good.text << " -> " << link->format() << ": " << again.error().text;
    EXPECT_EQ(*again, *link) << good.text << " -> " << link->format();
  }
}

TEST(Linkstr, writes_only_what_is_needed_in_percent) {
  for (const std::string_view text :
       {"mem:a%2Cb%5B%5D", "mem:x,loss=1%", "mem:%2541", "impair:[tap:t0],loss=1%,y=a%,z"}) {
    EXPECT_EQ(Linkstr::parse(text)->format(), text);
  }
}

struct Bad {
  std::string_view text;
  std::size_t character;  // counted from 1, as the message does
  std::string_view expected;
};

const Bad kBad[] = {
    {"", 1, "a scheme in lower case"},
    {":tap0", 1, "a scheme in lower case"},
    {"Tap:tap0", 1, "a scheme in lower case"},
    {"2tap:tap0", 1, "a scheme in lower case"},
    {"tAp:tap0", 2, "a scheme in lower case"},
    {"t-p:tap0", 2, "a scheme in lower case"},
    {"ta p:x", 3, "a scheme in lower case"},
    {"/var/log/x.pcap", 1, "a scheme in lower case"},
    {"tap", 4, "a scheme in lower case and ':'"},
    {"tap,x", 4, "a scheme in lower case and ':'"},
    {"mem:lan[0", 8, "%5B or %5D for a bracket"},
    {"mem:lan]0", 8, "%5B or %5D for a bracket"},
    {"mem:lan0,", 10, "an option's name"},
    {"mem:lan0,,x", 10, "an option's name"},
    {"mem:lan0,=5", 10, "an option's name"},
    {"mem:lan0, x", 10, "an option's name"},
    {"mem:lan0,x y", 11, "'=', ',' or the end"},
    {"mem:lan0,x[y", 11, "'=', ',' or the end"},
    {"mem:lan0,x=[y]", 12, "%5B or %5D for a bracket"},
    {"mem:lan0,x=1,x=2", 15, "every option once, but 'x' came before"},
    {"impair:[tap:t0", 15, "']' to close"},
    {"impair:[[tap:t0]", 17, "']' to close"},
    {"impair:[tap:t0]x", 16, "',' or the end after ']'"},
    {"impair:[tap:t0]]", 16, "',' or the end after ']'"},
    {"a:[[[[[[[[[x]]]]]]]]]", 11, "at most 8 nested"},
    {"mem:a%00b", 8, "text without zero bytes"},
    {std::string_view("mem:a\0b", 7), 6, "text without zero bytes"},
};

TEST(Linkstr, refuses_each_bad_one_naming_the_place_and_what_was_expected) {
  for (const Bad& bad : kBad) {
    const auto link = Linkstr::parse(bad.text);
    ASSERT_FALSE(link) << bad.text;
    EXPECT_EQ(link.error().number(), EINVAL);
    const std::string place = "character " + std::to_string(bad.character) + ": expected ";
    EXPECT_NE(link.error().text.find(place), std::string::npos) << bad.text << " -> " << link.error().text;
    EXPECT_NE(link.error().text.find(bad.expected), std::string::npos) << bad.text << " -> " << link.error().text;
  }
}

TEST(Linkstr, has_at_most_4096_characters) {
  const std::string longest = "mem:" + std::string(Linkstr::kBytesMax - 4, 'x');
  EXPECT_TRUE(Linkstr::parse(longest));
  const auto longer = Linkstr::parse(longest + "x");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().number(), E2BIG);
  EXPECT_NE(longer.error().text.find("at most 4096 characters, this one 4097"), std::string::npos);
}

// Else a link string could be set and not be set again as it is shown.
TEST(Linkstr, is_never_written_longer_than_it_was) {
  for (const std::string piece : {"%", "%%41", "%4", "%2C", "%%34%31"}) {
    std::string text = "mem:";
    while (text.size() + piece.size() <= Linkstr::kBytesMax) text += piece;
    const auto link = Linkstr::parse(text);
    ASSERT_TRUE(link);
    EXPECT_LE(link->format().size(), text.size()) << piece;
    EXPECT_EQ(*Linkstr::parse(link->format()), *link) << piece;
  }
}

TEST(Linkstr, finds_an_option_by_its_name) {
  const auto link = Linkstr::parse("mem:x,a=1,b");
  ASSERT_NE(link->find("a"), nullptr);
  EXPECT_EQ(link->find("a")->value, "1");
  EXPECT_EQ(link->find("b")->value, std::nullopt);
  EXPECT_EQ(link->find("c"), nullptr);
  EXPECT_EQ(link->find(""), nullptr);
}

// Any value at all: whatever bytes an argument and options hold, they come back.
TEST(Linkstr, brings_back_random_values) {
  std::mt19937 chance(3);
  const auto below = [&](std::size_t end) { return chance() % end; };
  const auto text = [&] {
    constexpr std::string_view kNasty = ",%[]=:0aAfF%%5C";
    std::string bytes;
    for (auto left = below(12); left > 0; --left) {
      bytes += below(2) ? kNasty[below(kNasty.size())] : static_cast<char>(1 + below(255));
    }
    return bytes;
  };
  for (int round = 0; round < 20'000; ++round) {
    Linkstr link{.scheme = below(2) ? "mem" : "t9", .argument = text(), .options = {}};
    for (auto i = below(4); i > 0; --i) {
      link.options.push_back({"k-" + std::to_string(i), below(4) ? std::optional(text()) : std::nullopt});
    }
    const auto again = Linkstr::parse(link.format());
    ASSERT_TRUE(again) << link.format() << ": " << again.error().text;
    ASSERT_EQ(*again, link) << link.format();

    const Linkstr outer{
        .scheme = "impair", .argument = link.format(), .argument_nested = true, .options = link.options};
    const auto outer_again = Linkstr::parse(outer.format());
    ASSERT_TRUE(outer_again) << outer.format() << ": " << outer_again.error().text;
    ASSERT_EQ(*outer_again, outer) << outer.format();
  }
}

}  // namespace
