// SPDX-License-Identifier: BSD-2-Clause
// Rows D of the kernel's selftests: what parses, and what matches.
#include <cerrno>

#include "services/trace/dynamic_events.hpp"
#include "tests/services/trace/on_both_groups.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class D : public OnBothGroups {
 protected:
  // The verdict of the ioctl, and of dynamic_events (which makes events in the root group only), has to be the same.
  bool parses(const std::string& command, Era era = Era::bits) {
    Program program(*tracing, id(), era);
    const int error = era == Era::bits ? program.reg_bits(command) : program.reg_address(command, {});
    EXPECT_TRUE(error == 0 || error == EINVAL) << command << ": " << error;
    if (era == Era::address) {
      EXPECT_EQ(program.unreg(31), error == 0 ? 0 : ENOENT);
    }
    program.close();  // with it an event of the later era goes
    EXPECT_EQ(group->remove("__test_event").has_value(), error == 0 && era == Era::bits);
    EXPECT_EQ(DynamicEvents(*tracing, era).write("u:" + command).has_value(), error == 0) << command;
    EXPECT_TRUE(DynamicEvents(*tracing, era).truncate());
    return error == 0;
  }
  // Registers the first, then removes by "!u:" with the fields of the second, in this group.
  int removes(const std::string& known, const std::string& asked) {
    Result<UserEvent*> event = group->obtain("__test_event " + known, {});
    EXPECT_TRUE(event);
    group->release(**event);
    const std::string system = group->name().empty() ? "" : group->system(Formats::single) + '/';
    Status removed = DynamicEvents(*tracing).write("!u:" + system + "__test_event " + asked);
    (void)group->remove("__test_event");
    return removed ? 0 : removed.error().number();
  }
};
ON_BOTH_GROUPS(D);

TEST_P(D, basic_types) {
  for (const char* type : {"u64", "u32", "u16", "u8", "char", "unsigned char", "int", "unsigned int", "short",
                           "unsigned short", "char[20]", "unsigned char[20]", "char[0x14]", "unsigned char[0x14]"}) {
    EXPECT_TRUE(parses(std::string("__test_event ") + type + " a")) << type;
  }
  for (const char* type : {"char[aa]", "char[9999]", "char[0x0000000000001]"}) {
    EXPECT_FALSE(parses(std::string("__test_event ") + type + " a")) << type;
  }
}

TEST_P(D, loc_types) {
  for (const char* type :
       {"__data_loc char[]", "__data_loc unsigned char[]", "__rel_loc char[]", "__rel_loc unsigned char[]"}) {
    EXPECT_TRUE(parses(std::string("__test_event ") + type + " a")) << type;
  }
}

TEST_P(D, size_types) {
  for (const Era era : {Era::bits, Era::address}) {
    EXPECT_TRUE(parses("__test_event struct custom a 20", era));
    EXPECT_FALSE(parses("__test_event struct custom a", era));
    EXPECT_FALSE(parses("__test_event char a 20", era));
  }
}

TEST_P(D, flags) {
  EXPECT_TRUE(parses("__test_event:BPF_ITER u32 a"));
  EXPECT_TRUE(parses("__test_event:BPF_ITER,FLAG_FUTURE u32 a"));
  Program later(*tracing, id(), Era::address);
  EXPECT_EQ(later.reg_address("__test_event:BPF_ITER u32 a", {}), EINVAL) << "refused from 6.4 on";
}

TEST_P(D, matching_bits) {
  EXPECT_EQ(removes("struct custom a 20", "struct custom b"), ENOENT);
  EXPECT_EQ(removes("struct custom a 20", "struct custom a"), 0);
  for (const char* asked : {"u32 a", "u32 b", "u32 a; u32 ", "u32 a; u32 a"}) {
    EXPECT_EQ(removes("u32 a; u32 b", asked), ENOENT) << asked;
  }
  EXPECT_EQ(removes("u32 a; u32 b", "u32 a; u32 b"), 0);
  EXPECT_EQ(removes("u32 a; u32 b", "u32 a; u32 b;"), 0);
  EXPECT_EQ(removes("u32 a; u32 b", ""), 0) << "without fields any of that name";
}

TEST_P(D, matching_address) {
  struct Case {
    const char *known, *asked;
    int error;
  };
  const Case cases[] = {
      {"u32 a", "u32 a", 0},
      {"u32 a; u32 b", "u32 a; u32 b", 0},
      {"u32 a; u32 b", "u32 a; u32 b;", 0},
      {"struct my_struct a 20", "struct my_struct a 20", 0},
      {"u32 a", "u32 b", EADDRINUSE},
      {"u32 a; u32 b", "u32 b; u32 a", EADDRINUSE},
      {"u64 a", "u32 a", EADDRINUSE},
      {"struct my_struct a 20", "struct my_struct b 20", EADDRINUSE},
      {"struct my_struct a 20", "struct my_struct a 21", EADDRINUSE},
  };
  for (const Mode mode : {Mode::strict, Mode::compat}) {
    use(mode);
    for (const auto& [known, asked, error] : cases) {
      Program program(*tracing, id(), Era::address);
      ASSERT_EQ(program.reg_address(std::string("__test_event ") + known, {.bit = 31}), 0) << known;
      EXPECT_EQ(program.reg_address(std::string("__test_event ") + asked, {.bit = 30}), error)
          << known << " / " << asked;
    }
  }
}

TEST_P(D, matching_address_without_fields_means_the_event_without_fields) {
  Result<UserEvent*> event = group->obtain("__test_event u32 a", {});
  group->release(**event);
  DynamicEvents dynamic(*tracing, Era::address);
  const std::string command = "!u:" + group->system(Formats::single) + "/__test_event";
  EXPECT_EQ(dynamic.write(command).error().number(), ENOENT);
  EXPECT_TRUE(dynamic.write(command + " u32 a"));
}

}  // namespace
