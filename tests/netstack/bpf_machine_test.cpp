// SPDX-License-Identifier: BSD-2-Clause
// The machine's corners, one instruction at a time: ends of the frame, zeroes, shifts, wrap-around.
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <vector>

#include "netstack/bpf_program.hpp"
#include "netstack/mbuf_pool.hpp"

namespace {

using namespace vif::net;

class BpfMachine : public testing::Test {
 protected:
  std::uint32_t run(const std::vector<BpfInsn>& insns) { return bpf_filter(*BpfProgram::make(insns), *packet); }
  static BpfInsn insn(int code, std::uint32_t k = 0) { return {.code = static_cast<std::uint16_t>(code), .k = k}; }

  MbufPool pool{{.counts = {8, 0, 0, 0}, .external = 0}};
  MbufPtr packet = pool.copy_in(std::as_bytes(std::span("\x01\x02\x03\x04\x05\x06\x07", 7)));
  const BpfInsn kReturnA = insn(BPF_RET | BPF_A), kTax = insn(BPF_MISC | BPF_TAX), kTxa = insn(BPF_MISC | BPF_TXA);
};

TEST_F(BpfMachine, loads_to_the_last_byte_and_rejects_beyond) {
  EXPECT_EQ(run({insn(BPF_LD | BPF_W | BPF_ABS, 3), kReturnA}), 0x04050607U);
  EXPECT_EQ(run({insn(BPF_LD | BPF_H | BPF_ABS, 5), kReturnA}), 0x0607U);
  EXPECT_EQ(run({insn(BPF_LD | BPF_B | BPF_ABS, 6), kReturnA}), 7U);
  const BpfInsn accept = insn(BPF_RET | BPF_K, 99);
  for (const BpfInsn beyond :
       {insn(BPF_LD | BPF_W | BPF_ABS, 4), insn(BPF_LD | BPF_H | BPF_ABS, 6), insn(BPF_LD | BPF_B | BPF_ABS, 7),
        insn(BPF_LD | BPF_W | BPF_ABS, 0xfffffffe), insn(BPF_LDX | BPF_B | BPF_MSH, 7)})
    EXPECT_EQ(run({beyond, accept}), 0U);
}

TEST_F(BpfMachine, does_not_wrap_an_indexed_load) {
  const BpfInsn x = insn(BPF_LDX | BPF_IMM, 0xffffffff);
  EXPECT_EQ(run({x, insn(BPF_LD | BPF_B | BPF_IND, 2), insn(BPF_RET | BPF_K, 99)}), 0U);
  EXPECT_EQ(run({insn(BPF_LDX | BPF_IMM, 2), insn(BPF_LD | BPF_H | BPF_IND, 3), kReturnA}), 0x0607U);
}

TEST_F(BpfMachine, rejects_division_by_a_zero_in_x) {
  for (const int operation : {BPF_DIV, BPF_MOD})
    EXPECT_EQ(run({insn(BPF_ALU | operation | BPF_X), insn(BPF_RET | BPF_K, 99)}), 0U);
}

TEST_F(BpfMachine, shifts_by_32_or_more_to_zero) {
  for (const int operation : {BPF_LSH, BPF_RSH}) {
    EXPECT_EQ(run({insn(BPF_LD | BPF_IMM, 5), insn(BPF_ALU | operation | BPF_K, 32), kReturnA}), 0U);
    EXPECT_EQ(run({insn(BPF_LD | BPF_IMM, 33), kTax, insn(BPF_ALU | operation | BPF_X), kReturnA}), 0U);
  }
}

TEST_F(BpfMachine, begins_with_zeroes) {
  EXPECT_EQ(run({insn(BPF_LD | BPF_MEM, 9), kReturnA}), 0U);
  EXPECT_EQ(run({kTxa, kReturnA}), 0U);
}

TEST_F(BpfMachine, knows_the_length_in_both_registers) {
  EXPECT_EQ(run({insn(BPF_LD | BPF_W | BPF_LEN), kReturnA}), 7U);
  EXPECT_EQ(run({insn(BPF_LDX | BPF_W | BPF_LEN), kTxa, kReturnA}), 7U);
}

}  // namespace
