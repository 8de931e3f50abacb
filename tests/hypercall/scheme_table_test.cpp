// SPDX-License-Identifier: BSD-2-Clause
// From a link string to its backend, and the one wording for wrong options.
#include "hypercall/scheme_table.hpp"

#include <gtest/gtest.h>

#include "hypercall/link_options.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using drv::LinkOwner;
using drv::Linkstr;

Result<drv::OpenLink> refuse(const Linkstr& linkstr, const LinkOwner& owner) {
  return fail(ESTALE, linkstr.format() + " of " + owner.ifname);
}

const SomeOwner kOwner{.ifname = "virt7"};

TEST(SchemeTable, opens_with_the_scheme_s_backend) {
  host::SchemeTable table;
  ASSERT_TRUE(table.add("a", [](const Linkstr&, const LinkOwner&) { return drv::OpenLink{nullptr, {.baudrate = 1}}; }));
  ASSERT_TRUE(table.add("b2", refuse));
  EXPECT_EQ(table.open(*Linkstr::parse("a:"), kOwner)->caps.baudrate, 1U);
  const auto opened = table.open(*Linkstr::parse("b2:x,y=1"), kOwner);
  EXPECT_EQ(opened.error().number(), ESTALE);
  EXPECT_EQ(opened.error().text, "b2:x,y=1 of virt7");
}

TEST(SchemeTable, names_those_there_are_when_there_is_none) {
  host::SchemeTable table;
  EXPECT_NE(table.open(*Linkstr::parse("tap:x"), kOwner).error().text.find("none"), std::string::npos);
  ASSERT_TRUE(table.add("null", refuse));
  ASSERT_TRUE(table.add("mem", refuse));
  const auto opened = table.open(*Linkstr::parse("tap:x"), kOwner);
  EXPECT_EQ(opened.error().number(), EINVAL);
  EXPECT_NE(opened.error().text.find("'tap:'"), std::string::npos) << opened.error().text;
  EXPECT_NE(opened.error().text.find("mem, null"), std::string::npos) << opened.error().text;
}

TEST(SchemeTable, takes_a_scheme_once_and_only_a_scheme) {
  host::SchemeTable table;
  ASSERT_TRUE(table.add("mem", refuse));
  EXPECT_EQ(table.add("mem", refuse).error().number(), EEXIST);
  for (const char* name : {"", "Mem", "1a", "a-b", "a:b", "a b", "a,b", ":"}) {
    const Status added = table.add(name, refuse);
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().number(), EINVAL);
  }
  EXPECT_EQ(table.schemes(), "mem");
}

TEST(LinkOptions, know_numbers_and_their_range) {
  const auto number = [](const char* text) { return host::number_option(*Linkstr::parse(text), "n", 7, {5, 100}); };
  EXPECT_EQ(*number("x:"), 7U);
  EXPECT_EQ(*number("x:,n=5"), 5U);
  EXPECT_EQ(*number("x:,n=100"), 100U);
  for (const char* text : {"x:,n", "x:,n=", "x:,n=4", "x:,n=101", "x:,n=+5", "x:,n= 5", "x:,n=5 ", "x:,n=0x5",
                           "x:,n=18446744073709551621"}) {
    ASSERT_FALSE(number(text)) << text;
    EXPECT_EQ(number(text).error().number(), EINVAL);
    EXPECT_NE(number(text).error().text.find("from 5 to 100"), std::string::npos) << number(text).error().text;
  }
}

TEST(LinkOptions, name_the_unknown_one_and_list_the_known) {
  const auto only = [](const char* text) { return host::only_options(*Linkstr::parse(text), {"rx", "bytes"}); };
  EXPECT_TRUE(only("x:y"));
  EXPECT_TRUE(only("x:y,bytes=1,rx"));
  const Status refused = only("x:y,rx=1,tx=2");
  EXPECT_EQ(refused.error().number(), EINVAL);
  EXPECT_EQ(refused.error().text, "x: has no option 'tx': known are rx, bytes");
  EXPECT_NE(host::only_options(*Linkstr::parse("x:,a"), {}).error().text.find("none"), std::string::npos);
}

}  // namespace
