// SPDX-License-Identifier: BSD-2-Clause
// What the validator refuses, one rule at a time, and what it must let pass.
#include "netstack/bpf_program.hpp"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <cerrno>
#include <string>
#include <vector>

namespace {

using vif::net::BpfInsn;
using vif::net::BpfProgram;

constexpr BpfInsn kAccept = {.code = BPF_RET | BPF_K, .k = 262144};

BpfInsn statement(int code, std::uint32_t k) { return {.code = static_cast<std::uint16_t>(code), .k = k}; }
BpfInsn jump(int code, std::uint32_t k, std::uint8_t jt, std::uint8_t jf) {
  return {.code = static_cast<std::uint16_t>(code), .jt = jt, .jf = jf, .k = k};
}

void expect_refused(const std::vector<BpfInsn>& insns, const std::string& words) {
  const auto made = BpfProgram::make(insns);
  ASSERT_FALSE(made.has_value()) << words;
  EXPECT_EQ(made.error().number(), EINVAL);
  EXPECT_NE(made.error().text.find(words), std::string::npos) << made.error().text;
}

TEST(BpfProgram, refuses_unknown_codes) {
  for (const int code : {BPF_LD | BPF_W | BPF_MSH, BPF_LDX | BPF_W | BPF_ABS, BPF_LDX | BPF_H | BPF_MSH, BPF_ALU | 0xb0,
                         BPF_ALU | BPF_NEG | BPF_X, BPF_JMP | 0x50, BPF_RET | BPF_X, BPF_MISC | 0x20, BPF_ST | BPF_MEM,
                         BPF_LD | 0x18 | BPF_ABS, 0x100 | BPF_LD | BPF_IMM})
    expect_refused({statement(code, 1), kAccept}, "instruction 0: no classic BPF instruction has code");
}

// Every 16-bit code, against libpcap's own validator where that is stricter than "anything of a known class".
TEST(BpfProgram, knows_no_code_that_libpcap_does_not) {
  int known = 0;
  for (std::uint32_t code = 0; code < 0x10000; ++code) {
    const BpfInsn insns[] = {statement(static_cast<int>(code), 1), kAccept, kAccept, kAccept};
    if (!BpfProgram::make(insns)) continue;
    ++known;
    bpf_insn theirs[4] = {};
    for (int i = 0; i < 4; ++i) theirs[i] = {insns[i].code, insns[i].jt, insns[i].jf, insns[i].k};
    EXPECT_EQ(bpf_validate(theirs, 4), 1) << code;
  }
  EXPECT_EQ(known, 49);  // table 1 of the paper, BPF_LEN into X, MOD and XOR
}

TEST(BpfProgram, refuses_jumps_out_of_the_program) {
  expect_refused({jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), kAccept}, "instruction 0: jumps");
  expect_refused({jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), kAccept}, "instruction 0: jumps");
  expect_refused({kAccept, jump(BPF_JMP | BPF_JGT | BPF_X, 0, 255, 0), kAccept}, "instruction 1: jumps");
  expect_refused({statement(BPF_JMP | BPF_JA, 1), kAccept}, "instruction 0: jumps");
  EXPECT_TRUE(BpfProgram::make(std::vector{jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), kAccept, kAccept}));
}

TEST(BpfProgram, refuses_jumps_backwards) {
  expect_refused({kAccept, statement(BPF_JMP | BPF_JA, 0xffffffff), kAccept}, "instruction 1: jumps backwards");
  expect_refused({kAccept, statement(BPF_JMP | BPF_JA, 0xfffffffe), kAccept}, "instruction 1: jumps backwards");
}

TEST(BpfProgram, refuses_scratch_words_beyond_15) {
  for (const int code : {BPF_ST, BPF_STX, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM}) {
    EXPECT_TRUE(BpfProgram::make(std::vector{statement(code, 15), kAccept}));
    expect_refused({statement(code, 16), kAccept}, "scratch word 16");
    expect_refused({statement(code, 0xffffffff), kAccept}, "scratch word 4294967295");
  }
}

TEST(BpfProgram, refuses_division_by_constant_zero) {
  expect_refused({statement(BPF_ALU | BPF_DIV | BPF_K, 0), kAccept}, "divides by the constant zero");
  expect_refused({statement(BPF_ALU | BPF_MOD | BPF_K, 0), kAccept}, "divides by the constant zero");
  EXPECT_TRUE(BpfProgram::make(std::vector{statement(BPF_ALU | BPF_DIV | BPF_X, 0), kAccept}));
}

TEST(BpfProgram, refuses_an_end_that_is_no_return) {
  expect_refused({statement(BPF_LD | BPF_IMM, 1)}, "must be a return");
  expect_refused({kAccept, statement(BPF_MISC | BPF_TAX, 0)}, "must be a return");
}

TEST(BpfProgram, refuses_more_than_4096_instructions) {
  const std::vector<BpfInsn> most(4096, kAccept);
  EXPECT_TRUE(BpfProgram::make(most));
  expect_refused(std::vector<BpfInsn>(4097, kAccept), "at most 4096");
}

TEST(BpfProgram, takes_no_instructions_for_the_empty_program) {
  const auto made = BpfProgram::make({});
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->insns().empty());
}

}  // namespace
