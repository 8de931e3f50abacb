// SPDX-License-Identifier: BSD-2-Clause
// The instruction codes of the BSD packet filter: what the validator and the machine agree on.
//
// Source: McCanne and Jacobson, "The BSD Packet Filter", USENIX Winter 1993, table 1; numbers and the later MOD and XOR
// from NetBSD bpf(4) and <net/bpf.h>. A code is class + size + mode, class + operation + source, or class + value.
#pragma once

#include <cstdint>

namespace vif::net::bpf {

// Class.
inline constexpr std::uint16_t kClassMask = 0x07;
inline constexpr std::uint16_t kLd = 0x00, kLdx = 0x01, kSt = 0x02, kStx = 0x03;
inline constexpr std::uint16_t kAlu = 0x04, kJmp = 0x05, kRet = 0x06, kMisc = 0x07;

// Size and mode of a load.
inline constexpr std::uint16_t kW = 0x00, kH = 0x08, kB = 0x10;
inline constexpr std::uint16_t kImm = 0x00, kAbs = 0x20, kInd = 0x40, kMem = 0x60, kLen = 0x80, kMsh = 0xa0;

// Operation and source (the constant k, or X) of arithmetic and jumps.
inline constexpr std::uint16_t kK = 0x00, kX = 0x08;
inline constexpr std::uint16_t kAdd = 0x00, kSub = 0x10, kMul = 0x20, kDiv = 0x30, kOr = 0x40, kAnd = 0x50;
inline constexpr std::uint16_t kLsh = 0x60, kRsh = 0x70, kNeg = 0x80, kMod = 0x90, kXor = 0xa0;
inline constexpr std::uint16_t kJa = 0x00, kJeq = 0x10, kJgt = 0x20, kJge = 0x30, kJset = 0x40;

inline constexpr std::uint16_t kA = 0x10;                 // a return's value is A, not k
inline constexpr std::uint16_t kTax = 0x00, kTxa = 0x80;  // register moves

inline constexpr std::uint32_t kScratchWords = 16;  // BPF_MEMWORDS

}  // namespace vif::net::bpf
