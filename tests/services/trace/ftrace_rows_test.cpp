// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own test of user_events' files (row F of its selftests), asked of both eras and both kinds of group.
#include <cerrno>

#include "services/trace/group_files.hpp"
#include "tests/services/trace/on_both_groups.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

constexpr const char* kTwo = "__test_event u32 field1; u32 field2";
constexpr const char* kName = "__test_event";

class F : public OnBothGroups {};
ON_BOTH_GROUPS(F);

TEST_P(F, register_events_bits) {
  Program program(*tracing, id(), Era::bits);
  auto status = *tracing->open_status(id());
  ASSERT_EQ(program.reg_bits(kTwo), 0);
  EXPECT_EQ(program.write_index, 0);
  EXPECT_NE(program.status_bit, 0U);
  const std::uint32_t status_bit = program.status_bit;
  ASSERT_EQ(program.reg_bits(kTwo), 0);
  EXPECT_EQ(program.write_index, 0);
  EXPECT_EQ(program.status_bit, status_bit);
  auto mapping = *status->map(4096);
  KeepingProbe probe;
  enable(kName, probe);
  disable(kName);
  EXPECT_FALSE(mapping->test(status_bit));
  enable_again(kName);
  EXPECT_TRUE(mapping->test(status_bit));
  disable(kName);
  EXPECT_FALSE(mapping->test(status_bit));
  EXPECT_EQ(program.del(kName), EBUSY) << "the file itself uses it";
  program.close();
  program.open();
  EXPECT_EQ(program.del(kName), 0);
}

TEST_P(F, register_events_address) {
  Program program(*tracing, id(), Era::address);
  const auto word = [&] { return program.memory.peek<std::uint32_t>(Program::kWords); };
  ASSERT_EQ(program.reg_address(kTwo, {.bit = 31}), 0);
  EXPECT_EQ(program.write_index, 0);
  EXPECT_EQ(program.reg_address(kTwo, {.bit = 31}), EADDRINUSE) << "that bit is taken";
  EXPECT_EQ(program.reg_address(kTwo, {.bit = 30}), 0);
  EXPECT_EQ(program.write_index, 0);
  EXPECT_EQ(program.reg_address("__test_event u32 field1;u32 field2", {.bit = 29}), 0) << "blanks make no difference";
  EXPECT_EQ(program.unreg(29), 0);
  EXPECT_EQ(program.reg_address("__test_event u32 field1", {.bit = 29}), EADDRINUSE) << "other fields";
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(word(), 0xc0000000U);
  disable(kName);
  EXPECT_EQ(word(), 0U);
  EXPECT_EQ(program.del(kName), EBUSY);
  EXPECT_EQ(program.unreg(31), 0);
  EXPECT_EQ(program.unreg(30), 0);
  EXPECT_NE(group->find(kName), nullptr) << "the file still uses it";
  program.close();
  EXPECT_EQ(group->find(kName), nullptr);
}

TEST_P(F, write_events) {
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits(kTwo), 0);
  EXPECT_FALSE(bit(program.status_bit));
  EXPECT_EQ(program.write_values(2, 1U, 2U).error, ENOENT);
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_TRUE(bit(program.status_bit));
  const auto written = program.write_values(0, 1U, 2U);
  EXPECT_EQ(written.error, 0);
  EXPECT_EQ(written.bytes, 12U) << "the index counts";
  ASSERT_EQ(probe.records.size(), 1U);
  EXPECT_EQ(probe.records[0].size(), 8U) << "the index is not recorded";
  EXPECT_EQ(program.write_values(-1, 1U, 2U).error, EINVAL);
  disable(kName);
  EXPECT_EQ(program.write_values(0, 1U, 2U).error, EBADF);
  EXPECT_EQ(probe.records.size(), 1U);
}

TEST_P(F, write_events_disabled_succeed_in_compat) {
  use(Mode::compat);
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits(kTwo), 0);
  const auto written = program.write_values(0, 1U, 2U);
  EXPECT_EQ(written.error, 0);
  EXPECT_EQ(written.bytes, 12U);
}

TEST_P(F, write_empty_events) {
  Program program(*tracing, id(), Era::address);
  ASSERT_EQ(program.reg_address(kName, {}), 0);
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(program.memory.peek<std::uint32_t>(Program::kWords), 0x80000000U);
  const auto written = program.writev(0, {});
  EXPECT_EQ(written.error, 0);
  EXPECT_EQ(written.bytes, 4U);
  EXPECT_EQ(probe.records.size(), 1U);
}

TEST_P(F, write_fault) {
  use(Mode::compat);
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits("__test_event u64 anon"), 0);
  constexpr std::uint64_t kFar = 0x900000;
  program.memory.map(kFar, 4096, ProgramMemory::Access::read_only);
  program.memory.poke_value(Program::kPayload, std::int32_t{0});
  const std::array slices = {CallerSlice{Program::kPayload, 4}, CallerSlice{kFar, 8}};
  EXPECT_EQ(program.abi->writev(program.writer, slices).error, 0);
  program.memory.map(kFar, 4096, ProgramMemory::Access::read_only);  // zero-filled anew
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(program.abi->writev(program.writer, slices).error, 0);
  EXPECT_EQ(probe.records.back(), std::vector<std::byte>(8));
  program.memory.unmap(kFar);
  EXPECT_EQ(program.abi->writev(program.writer, slices).error, EFAULT);
  disable(kName);
  EXPECT_EQ(program.abi->writev(program.writer, slices).error, 0) << "a disabled event's payload is not looked at";
}

TEST_P(F, write_validator) {
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits("__test_event __rel_loc char[] data"), 0);
  EXPECT_EQ(program.writev(0, {}).error, EINVAL) << "too short is wrong also while it is disabled";
  KeepingProbe probe;
  enable(kName, probe);
  const auto write = [&](std::uint32_t location, const char(&text)[6]) {
    std::array<char, 5> data;
    std::copy_n(text, 5, data.begin());
    return program.write_values(0, location, data).error;
  };
  EXPECT_EQ(write(dyn_loc(0, 5), "Test\0"), 0);
  EXPECT_EQ(probe.records.size(), 1U);
  EXPECT_EQ(write(dyn_loc(1024, 5), "Test\0"), EFAULT);
  EXPECT_EQ(write(dyn_loc(1, 5), "Test\0"), EFAULT);
  EXPECT_EQ(write(dyn_loc(0, 5 + 1024), "Test\0"), EFAULT);
  EXPECT_EQ(write(dyn_loc(0, 6), "Test\0"), EFAULT);
  EXPECT_EQ(write(dyn_loc(0, 5), "AAAAA"), EFAULT) << "no NUL at the end";
  EXPECT_EQ(write(dyn_loc(0, 0), "Test\0"), EFAULT) << "no room for a NUL";
  EXPECT_EQ(probe.records.size(), 1U);
}

TEST_P(F, write_validator_data_loc_counts_from_the_record) {
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits("__test_event __data_loc char[] data"), 0);
  KeepingProbe probe;
  enable(kName, probe);
  const std::array<char, 3> text = {'o', 'k', '\0'};
  EXPECT_EQ(program.write_values(0, dyn_loc(12, 3), text).error, 0);
  EXPECT_EQ(program.write_values(0, dyn_loc(13, 3), text).error, EFAULT);
  EXPECT_EQ(program.write_values(0, dyn_loc(0, 0), text).error, EFAULT) << "never the byte before the record";
}

struct PrintCase {
  const char *type, *text;
};

TEST_P(F, print_fmt) {
  const PrintCase cases[] = {
      {"__rel_loc char[]", "\"data=%s\", __get_rel_str(data)"},
      {"__data_loc char[]", "\"data=%s\", __get_str(data)"},
      {"s64", "\"data=%lld\", REC->data"},
      {"u64", "\"data=%llu\", REC->data"},
      {"s32", "\"data=%d\", REC->data"},
      {"u32", "\"data=%u\", REC->data"},
      {"int", "\"data=%d\", REC->data"},
      {"unsigned int", "\"data=%u\", REC->data"},
      {"s16", "\"data=%d\", REC->data"},
      {"u16", "\"data=%u\", REC->data"},
      {"short", "\"data=%d\", REC->data"},
      {"unsigned short", "\"data=%u\", REC->data"},
      {"s8", "\"data=%d\", REC->data"},
      {"u8", "\"data=%u\", REC->data"},
      {"char", "\"data=%d\", REC->data"},
      {"unsigned char", "\"data=%u\", REC->data"},
      {"char[4]", "\"data=%s\", REC->data"},
  };
  for (const auto& [type, text] : cases) {
    Program program(*tracing, id(), Era::address);
    ASSERT_EQ(program.reg_address(std::string(kName) + ' ' + type + " data", {}), 0) << type;
    const UserEvent& event = *group->find(kName);
    const std::string file = format_file(event.format, event.name, event.type_id);
    const std::size_t second_blank = file.find("\n\n", file.find("\n\n") + 1);
    EXPECT_EQ(file.substr(second_blank + 2), std::string("print fmt: ") + text + '\n');
  }
}

}  // namespace
