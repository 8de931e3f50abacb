// SPDX-License-Identifier: BSD-2-Clause
// Rows A of the kernel's selftests: bits in the caller's memory that follow the event.
#include <cerrno>

#include "tests/services/trace/on_both_groups.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

constexpr const char* kEvent = "__test_event u32 a";
constexpr const char* kName = "__test_event";

class A : public OnBothGroups {
 protected:
  static std::uint64_t word(const Program& program) { return program.memory.peek<std::uint64_t>(Program::kWords); }
};
ON_BOTH_GROUPS(A);

TEST_P(A, enablement) {
  Program program(*tracing, id(), Era::address);
  ASSERT_EQ(program.reg_address(kEvent, {.bit = 0}), 0);
  EXPECT_EQ(word(program), 0U);
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(word(program), 1U);
  disable(kName);
  EXPECT_EQ(word(program), 0U);
  enable_again(kName);
  EXPECT_EQ(word(program), 1U);
  ASSERT_EQ(program.reg_address(kEvent, {.bit = 1}), 0);
  EXPECT_EQ(word(program), 3U) << "set at once when the event is enabled";
  EXPECT_EQ(program.unreg(0), 0);
  EXPECT_EQ(word(program), 2U) << "unregistering clears it";
  disable(kName);
  enable_again(kName);
  EXPECT_EQ(word(program), 2U) << "and nothing touches it later";
}

TEST_P(A, flags) {
  Program program(*tracing, id(), Era::address);
  ASSERT_EQ(program.reg_address(kEvent, {.flags = kRegPersist}), 0);
  EXPECT_EQ(program.unreg(31), 0);
  program.close();
  EXPECT_NE(group->find(kName), nullptr) << "it persists";
  program.open();
  EXPECT_EQ(program.del(kName), 0);
  EXPECT_EQ(program.reg_address(kEvent, {.flags = 4}), EINVAL);
  EXPECT_EQ(group->find(kName), nullptr) << "an unknown flag leaves no event";
}

TEST_P(A, flags_persist_wants_a_privilege) {
  Program program(*tracing, id(), Era::address, Privilege::none), owner(*tracing, id(), Era::address);
  EXPECT_EQ(program.reg_address(kEvent, {.flags = kRegPersist}), EPERM);
  ASSERT_EQ(owner.reg_address(kEvent, {.flags = kRegPersist}), 0);
  EXPECT_EQ(owner.unreg(31), 0);
  owner.close();
  EXPECT_EQ(program.del(kName), EPERM);
  EXPECT_NE(group->find(kName), nullptr);
}

// What is wrong beside the privilege comes first, or after it, as the kernel looks.
TEST_P(A, flags_persist_wants_a_privilege_in_the_kernel_s_order) {
  Program program(*tracing, id(), Era::address, Privilege::none), owner(*tracing, id(), Era::address);
  ASSERT_EQ(program.reg_address("other u32 n", {}), 0);
  EXPECT_EQ(program.reg_address(kEvent, {.flags = kRegPersist}), EADDRINUSE) << "that bit is taken";
  EXPECT_EQ(program.reg_address("e:flag u32 n", {.bit = 0, .flags = kRegPersist}), EINVAL) << "flags in the text";
  EXPECT_EQ(program.reg_address("e u33 n", {.bit = 0, .flags = kRegPersist}), EPERM) << "before the fields are read";
  ASSERT_EQ(owner.reg_address(kEvent, {.flags = kRegPersist}), 0);
  EXPECT_EQ(program.del(kName), EBUSY) << "in use";
  ASSERT_EQ(owner.reg_address("many u32 n", {.bit = 1, .flags = kRegPersist | kRegMultiFormat}), 0);
  EXPECT_EQ(owner.unreg(1), 0);
  owner.close();
  EXPECT_EQ(program.del("many"), EPERM) << "in any of its formats";
}

TEST_P(A, bit_sizes) {
  Program program(*tracing, id(), Era::address);
  const auto registers = [&](std::uint8_t bit, std::uint8_t size) {
    const int error = program.reg_address(kEvent, {.bit = bit, .size = size});
    if (error == 0) (void)program.unreg(bit);
    return error;
  };
  EXPECT_EQ(registers(0, 4), 0);
  EXPECT_EQ(registers(31, 4), 0);
  EXPECT_EQ(registers(32, 4), EINVAL);
  EXPECT_EQ(registers(63, 8), 0);
  EXPECT_EQ(registers(64, 8), EINVAL);
  for (const std::uint8_t size : std::array<std::uint8_t, 9>{0, 1, 2, 3, 5, 6, 7, 9, 128}) {
    EXPECT_EQ(registers(0, size), EINVAL) << int{size};
  }
  EXPECT_EQ(program.reg_address(kEvent, {.address = Program::kWords + 2}), EINVAL) << "not aligned";
}

TEST_P(A, multi_format) {
  Program program(*tracing, id(), Era::address);
  const auto reg = [&](const char* field, std::uint8_t bit) {
    const std::string command = std::string(kName) + ' ' + field;
    const int error = program.reg_address(command, {.bit = bit, .flags = kRegMultiFormat});
    return error == 0 ? program.write_index : -error;
  };
  EXPECT_EQ(reg("u32 multi_first", 0), 0);
  EXPECT_EQ(reg("u64 multi_second", 1), 1);
  EXPECT_EQ(reg("u64 multi_second", 2), 1) << "the same fields share one event";
  std::vector<UserEvent*> events = group->events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]->name, "__test_event.0");
  EXPECT_EQ(events[1]->name, "__test_event.1");
  EXPECT_EQ(events[0]->system().rfind("user_events_multi", 0), 0U);
  EXPECT_EQ(group->find(kName), nullptr) << "not to be found by a single format's name";
  EXPECT_EQ(program.reg_address(kEvent, {.bit = 3}), 0) << "nor in its way";
  EXPECT_EQ(program.unreg(3), 0);
  program.close();  // from here on the bits alone keep the events
  program.open();
  EXPECT_EQ(program.unreg(0), 0);
  EXPECT_EQ(group->events().size(), 1U) << "the first goes, the second stays";
  EXPECT_EQ(program.unreg(1), 0);
  EXPECT_EQ(group->events().size(), 1U);
  EXPECT_EQ(program.unreg(2), 0);
  EXPECT_TRUE(group->events().empty());
}

TEST_P(A, multi_format_removes_all_formats_of_a_name_or_none) {
  Program program(*tracing, id(), Era::address), other(*tracing, id(), Era::address);
  const std::uint16_t flags = kRegMultiFormat | kRegPersist;
  ASSERT_EQ(program.reg_address("e u32 a", {.bit = 0, .flags = flags}), 0);
  ASSERT_EQ(other.reg_address("e u64 a", {.bit = 0, .flags = flags}), 0);
  EXPECT_EQ(program.unreg(0), 0);
  program.close();
  program.open();
  EXPECT_EQ(program.del("e"), EBUSY);
  EXPECT_EQ(group->events().size(), 2U);
  EXPECT_EQ(other.unreg(0), 0);
  other.close();
  EXPECT_EQ(program.del("e"), 0);
  EXPECT_TRUE(group->events().empty());
}

TEST_P(A, forks) {
  Program parent(*tracing, id(), Era::address), child(*tracing, id(), Era::address);
  ASSERT_EQ(parent.reg_address(kEvent, {.bit = 0}), 0);
  tracing->enablers().fork(parent.memory, child.memory);
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(word(parent), 1U);
  EXPECT_EQ(word(child), 1U);
  EXPECT_EQ(child.unreg(0), 0);
  EXPECT_EQ(word(child), 0U);
  EXPECT_EQ(word(parent), 1U) << "a child's memory is its own";
}

TEST_P(A, clones) {
  Program program(*tracing, id(), Era::address);
  Program thread(*tracing, id(), Era::address);  // another file, the same memory
  KernelAbi shared(*tracing, *thread.data, program.memory, Era::address, Privilege::none);
  ASSERT_EQ(program.reg_address(kEvent, {.bit = 0}), 0);
  KeepingProbe probe;
  enable(kName, probe);
  EXPECT_EQ(word(program), 1U);
  EXPECT_EQ(shared.ioctl(kDiagIocsReg, Program::kReg), EADDRINUSE) << "that memory's bit is registered";
}

TEST_P(A, enablers_keep_the_event_until_the_program_ends) {
  KeepingProbe probe;
  {
    Program program(*tracing, id(), Era::address);
    ASSERT_EQ(program.reg_address(kEvent, {.bit = 0}), 0);
    program.close();
    EXPECT_NE(group->find(kName), nullptr);
    enable(kName, probe);
    EXPECT_EQ(word(program), 1U);
    program.memory.unmap(Program::kWords);
    disable(kName);  // memory that is gone does no harm
  }
  EXPECT_EQ(group->find(kName), nullptr);
}

TEST_P(A, unreg_structs) {
  Program program(*tracing, id(), Era::address);
  auto& memory = program.memory;
  EXPECT_EQ(program.unreg(0), ENOENT);
  const auto unreg = [&](std::uint32_t size, std::uint32_t bit_and_reserved) {
    memory.poke_value(Program::kReg, size);
    memory.poke_value(Program::kReg + 4, bit_and_reserved);
    return program.abi->ioctl(kDiagIocsUnreg, Program::kReg);
  };
  EXPECT_EQ(unreg(15, 0), EINVAL);
  EXPECT_EQ(unreg(4097, 0), E2BIG);
  EXPECT_EQ(unreg(16, 0x100), EINVAL) << "reserved";
  EXPECT_EQ(unreg(16, 0x10000), EINVAL) << "reserved2";
  EXPECT_EQ(program.abi->ioctl(kDiagIocsUnreg, 0), EFAULT);
  ASSERT_EQ(program.reg_address(kEvent, {.bit = 0}), 0);
  memory.map(Program::kWords, 8, ProgramMemory::Access::read_only);
  EXPECT_EQ(program.unreg(0), EFAULT) << "it cannot be cleared";
  EXPECT_EQ(program.unreg(0), ENOENT) << "but is unregistered";
}

}  // namespace
