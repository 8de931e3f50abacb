// SPDX-License-Identifier: BSD-2-Clause
// Every error of the ABI that no other test asks for, in the order the kernel looks.
#include <cerrno>

#include "services/trace/dynamic_events.hpp"
#include "services/trace/group_files.hpp"
#include "tests/services/trace/on_both_groups.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

class Errors : public OnBothGroups {};
ON_BOTH_GROUPS(Errors);

TEST_P(Errors, of_the_register_struct) {
  Program program(*tracing, id(), Era::bits);
  constexpr std::uint64_t kNowhere = 0x7000000;
  EXPECT_EQ(program.abi->ioctl(kDiagIocsReg, kNowhere), EFAULT);
  EXPECT_EQ(program.reg_bits_at(kNowhere, 20), EFAULT);
  EXPECT_EQ(program.reg_bits_at(0, 20), EFAULT);
  program.memory.poke(Program::kText, std::string("e u32 a") + '\0');
  EXPECT_EQ(program.reg_bits_at(Program::kText, 4097), E2BIG);
  EXPECT_EQ(program.reg_bits_at(Program::kText, 19), EINVAL);
  program.memory.poke_value(Program::kReg + 20, std::uint32_t{1});
  EXPECT_EQ(program.reg_bits_at(Program::kText, 24), E2BIG) << "asks for something unknown";
  program.memory.poke_value(Program::kReg + 20, std::uint32_t{0});
  EXPECT_EQ(program.reg_bits_at(Program::kText, 24), 0);
  EXPECT_EQ(program.abi->ioctl(0x1234, Program::kReg), ENOTTY);
  EXPECT_EQ(program.abi->ioctl(kDiagIocsUnreg, Program::kReg), ENOTTY) << "came with the later era";
}

TEST_P(Errors, a_struct_at_the_end_of_memory) {
  Program program(*tracing, id(), Era::bits);
  program.memory.map(0x40000, 4096);
  program.memory.poke_value(0x41000 - 8, std::uint32_t{20});
  EXPECT_EQ(program.abi->ioctl(kDiagIocsReg, 0x41000 - 8), EFAULT);
  program.memory.poke(0x41000 - 2, std::string("e") + '\0');
  EXPECT_EQ(program.reg_bits_at(0x41000 - 2, 20), 0) << "a text may end where memory does";
  program.memory.poke(0x41000 - 2, std::string("ef"));
  EXPECT_EQ(program.reg_bits_at(0x41000 - 2, 20), EFAULT);
}

TEST_P(Errors, outputs_that_cannot_be_written_do_not_undo_the_registration) {
  Program program(*tracing, id(), Era::bits);
  program.memory.poke(Program::kText, std::string("e") + '\0');
  program.memory.map(0x50000, 4096, ProgramMemory::Access::read_only);
  program.memory.poke_value(0x50000, std::uint32_t{20});
  program.memory.poke_value(0x50004, std::uint64_t{Program::kText});
  EXPECT_EQ(program.abi->ioctl(kDiagIocsReg, 0x50000), 0);
  EXPECT_NE(group->find("e"), nullptr);
}

TEST_P(Errors, of_the_text_s_length) {
  Program program(*tracing, id(), Era::bits);
  EXPECT_EQ(program.reg_bits(std::string(511, 'n')), 0);
  EXPECT_EQ(program.reg_bits(std::string(512, 'n')), EINVAL) << "neither ENAMETOOLONG nor E2BIG";
  EXPECT_EQ(program.reg_bits(std::string(5000, 'n')), EINVAL);
}

TEST_P(Errors, of_removing) {
  Program program(*tracing, id(), Era::bits), other(*tracing, id(), Era::bits);
  EXPECT_EQ(program.del("e"), ENOENT);
  EXPECT_EQ(program.abi->ioctl(kDiagIocsDel, 0), EFAULT);
  ASSERT_EQ(program.reg_bits("e"), 0);
  EXPECT_EQ(other.del("e"), EBUSY);
  program.close();
  EXPECT_EQ(other.del("e"), 0);
}

TEST_P(Errors, of_writing) {
  Program program(*tracing, id(), Era::bits);
  const auto write = [&](std::size_t bytes, std::int64_t position) {
    return program.abi->write(program.writer, {Program::kPayload, bytes}, position).error;
  };
  program.memory.poke_value(Program::kPayload, std::int32_t{0});
  EXPECT_EQ(write(4, 0), ENOENT) << "nothing registered";
  ASSERT_EQ(program.reg_bits("e u32 a"), 0);
  KeepingProbe probe;
  enable("e", probe);
  EXPECT_EQ(write(8, 1), EFAULT) << "pwrite";
  EXPECT_EQ(write(3, 0), EFAULT);
  EXPECT_EQ(write(0, 0), EFAULT);
  EXPECT_EQ(write(7, 0), EINVAL) << "shorter than its fields";
  EXPECT_EQ(write(8, 0), 0);
  EXPECT_EQ(write(100, 0), 0) << "longer is good";
  EXPECT_EQ(probe.records.back().size(), 96U);
  const std::array torn = {CallerSlice{Program::kPayload, 3}, CallerSlice{Program::kPayload + 3, 0},
                           CallerSlice{Program::kPayload + 3, 5}};
  EXPECT_EQ(program.abi->writev(program.writer, torn).bytes, 8U) << "cut anywhere";
  EXPECT_EQ(probe.records.back().size(), 4U);
}

TEST_P(Errors, a_probe_that_faults_says_so_though_another_recorded) {
  Program program(*tracing, id(), Era::bits);
  ASSERT_EQ(program.reg_bits("e u32 a"), 0);
  struct Refusing final : Probe {
    ProbeKind kind() const override { return ProbeKind::other; }
    int record(Writer&, const UserEvent&, const Payload&) override { return EFAULT; }
  } refusing;
  KeepingProbe keeping;
  UserEvent& event = *group->find("e");
  tracing->enable(event, *tracing->add_probe(refusing));
  tracing->enable(event, *tracing->add_probe(keeping));
  EXPECT_EQ(program.write_values(0, 1U).error, EFAULT);
  EXPECT_EQ(keeping.records.size(), 1U);
}

TEST_P(Errors, of_the_enable_address) {
  Program program(*tracing, id(), Era::address);
  EXPECT_EQ(program.reg_address("e", {.address = std::uint64_t{1} << 63}), EFAULT);
  EXPECT_EQ(group->find("e"), nullptr);
  EXPECT_EQ(program.reg_address("e", {.address = 0x7000000}), EFAULT);
  EXPECT_NE(group->find("e"), nullptr) << "the file holds it, as in the kernel";
  program.close();
  EXPECT_EQ(group->find("e"), nullptr);
}

TEST_P(Errors, of_dynamic_events) {
  DynamicEvents dynamic(*tracing);
  EXPECT_EQ(dynamic.write("p:kprobe vfs_read").error().number(), EINVAL);
  EXPECT_EQ(dynamic.write("-e").error().number(), EINVAL);
  EXPECT_EQ(dynamic.write("!u:").error().number(), EINVAL);
  EXPECT_EQ(dynamic.write("!u:user_events/").error().number(), EINVAL);
  EXPECT_EQ(dynamic.write("!u:unknown").error().number(), ENOENT);
  EXPECT_EQ(dynamic.write("u:" + std::string(4093, 'x')).error().number(), EINVAL);
  EXPECT_TRUE(dynamic.write("# nothing\n\n  u: spaced u32 a # and why\nu:second\n"));
  EXPECT_EQ(dynamic.text(), "u:spaced u32 a\nu:second\n");
  auto file = *tracing->open_data(0);
  ASSERT_TRUE(file->add("second"));
  EXPECT_EQ(dynamic.write("!u:second").error().number(), EBUSY);
  EXPECT_EQ(dynamic.truncate().error().number(), EBUSY);
  EXPECT_EQ(dynamic.text(), "u:spaced u32 a\nu:second\n");
  file.reset();
  EXPECT_TRUE(dynamic.truncate());
  EXPECT_EQ(dynamic.text(), "");
}

TEST_P(Errors, of_probes) {
  std::array<KeepingProbe, kProbesMax + 1> probes;
  for (std::size_t i = 0; i < kProbesMax; ++i) ASSERT_TRUE(tracing->add_probe(probes[i]));
  EXPECT_EQ(tracing->add_probe(probes.back()).error().number(), EBUSY);
  tracing->remove_probe(3);
  EXPECT_EQ(*tracing->add_probe(probes.back()), 3U);
}

TEST_P(Errors, names_that_strict_rules_refuse) {
  for (const char* command : {"", " u32 a", ":flag", "a/b", "a\x01", "e u32 a; u64 a", "e u32 a/b"}) {
    EXPECT_EQ(group->obtain(command, {}).error().number(), EINVAL) << command;
  }
  use(Mode::compat);
  for (const char* command : {"", "a/b", "e u32 a; u64 a"}) {
    Result<UserEvent*> event = group->obtain(command, {});
    ASSERT_TRUE(event) << command;
    group->release(**event);
  }
}

TEST_P(Errors, the_status_text_names_who_uses_an_event) {
  Program program(*tracing, id(), Era::bits);
  for (const char* name : {"b", "a", "c"}) ASSERT_EQ(program.reg_bits(name), 0);
  KeepingProbe ftrace, perf(ProbeKind::perf), other(ProbeKind::other), more;
  for (KeepingProbe* probe : {&other, &perf, &ftrace, &more}) {
    tracing->enable(*group->find("a"), *tracing->add_probe(*probe));
  }
  EXPECT_EQ((*tracing->open_status(id()))->text(),
            "1:b\n2:a # Used by ftrace perf other\n3:c\n\nActive: 3\nBusy: 1\nMax: 32767\nLimit: 32767\n");
}

TEST(UseCount, sticks_at_its_end) {
  UseCount count(0xfffffffe);
  count.add();
  count.add();
  EXPECT_EQ(count.get(), 0xffffffffU);
  count.drop();
  EXPECT_EQ(count.get(), 0xffffffffU) << "an event nobody can count is never freed";
  UseCount none;
  none.drop();
  EXPECT_EQ(none.get(), 0U);
}

}  // namespace
