// SPDX-License-Identifier: BSD-2-Clause
// A packet filter that is known to be safe: classic BPF, validated once, run on any frame in bounded time.
//
// A program is a plain value; copying and running it is for any thread. It comes from libpcap's compiler
// (hypercall/bpf_compile.hpp) or from a client's own table. Source: McCanne and Jacobson, "The BSD Packet Filter",
// 1993; NetBSD bpf(4).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net {

// One instruction, field for field the bpf_insn of <net/bpf.h>, in host byte order.
struct BpfInsn {
  std::uint16_t code = 0;
  std::uint8_t jt = 0, jf = 0;  // instructions to skip when the condition holds, when not
  std::uint32_t k = 0;
};

class VIF_API BpfProgram {
 public:
  static constexpr std::size_t kInsnsMax = 4096;  // BPF_MAXINSNS of the BSDs and Linux

  BpfProgram() = default;  // the empty program: accepts every frame whole

  // EINVAL, naming the instruction: an unknown code, a jump backwards or past the end, scratch memory above 15, a
  // division by the constant zero, an end that is no return, or more than kInsnsMax instructions. No instructions at
  // all are the empty program.
  static Result<BpfProgram> make(std::span<const BpfInsn> insns);

  std::span<const BpfInsn> insns() const { return insns_; }

 private:
  std::vector<BpfInsn> insns_;
};

// How many bytes of the packet to keep, as the program says it (libpcap's compiler: the snapshot length; the empty
// program: 2^32-1), so often more than there are; 0: no match. Any thread, no allocation, at most one step an
// instruction.
//
// The machine sees the frame as on the wire: however the chain is cut, and with the tag of M_VLANTAG standing after the
// two addresses (a frame too short to have both has no tag). Its length (BPF_LEN) is pkthdr.wire_len, which counts
// the tag wherever that is kept, or when 0 the bytes there are. As in BSD, a load beyond the last byte there is and a
// division by an X of zero reject the frame, and registers and scratch memory begin as 0; a shift by 32 or more is 0.
VIF_API std::uint32_t bpf_filter(const BpfProgram& program, const Mbuf& packet);

// The bytes bpf_filter() sees: the packet's, and 4 for a tag kept in pkthdr.
VIF_API std::uint32_t bpf_frame_bytes(const Mbuf& packet);

}  // namespace vif::net
