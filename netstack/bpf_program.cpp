// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bpf_program.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "netstack/bpf_opcodes.hpp"

namespace vif::net {
namespace {

using namespace bpf;

// Loads, stores, returns and moves; arithmetic and jumps come in a k and an X form and stand below.
constexpr std::array<std::uint16_t, 20> kCodes = {
    kLd | kW | kAbs,
    kLd | kH | kAbs,
    kLd | kB | kAbs,
    kLd | kW | kInd,
    kLd | kH | kInd,
    kLd | kB | kInd,
    kLd | kImm,
    kLd | kMem,
    kLd | kW | kLen,
    kLdx | kImm,
    kLdx | kMem,
    kLdx | kW | kLen,
    kLdx | kB | kMsh,
    kSt,
    kStx,
    kRet | kK,
    kRet | kA,
    kMisc | kTax,
    kMisc | kTxa,
    kJmp | kJa,
};
constexpr std::array<std::uint16_t, 14> kCodesWithSource = {
    kAlu | kAdd, kAlu | kSub, kAlu | kMul, kAlu | kDiv, kAlu | kOr,  kAlu | kAnd, kAlu | kLsh,
    kAlu | kRsh, kAlu | kMod, kAlu | kXor, kJmp | kJeq, kJmp | kJgt, kJmp | kJge, kJmp | kJset,
};

bool known(std::uint16_t code) {
  const auto in = [](const auto& codes, std::uint16_t wanted) {
    return std::find(codes.begin(), codes.end(), wanted) != codes.end();
  };
  const auto without_source = static_cast<std::uint16_t>(code & ~kX);
  return in(kCodes, code) || code == (kAlu | kNeg) || in(kCodesWithSource, without_source);
}

bool uses_scratch(std::uint16_t code) {
  return code == kSt || code == kStx || code == (kLd | kMem) || code == (kLdx | kMem);
}

bool divides_by_constant(std::uint16_t code) { return code == (kAlu | kDiv | kK) || code == (kAlu | kMod | kK); }

// 64 bits, so that a jump backwards (a k near 2^32) cannot wrap into the program.
bool jumps_out(const BpfInsn& insn, std::uint64_t index, std::size_t count) {
  if ((insn.code & kClassMask) != kJmp) return false;
  const std::uint64_t furthest = insn.code == (kJmp | kJa) ? insn.k : std::max(insn.jt, insn.jf);
  return index + 1 + furthest >= count;
}

Error refuse(std::size_t index, const std::string& what) {
  return fail(std::errc::invalid_argument, "BPF instruction " + std::to_string(index) + ": " + what);
}

Status check(const BpfInsn& insn, std::size_t index, std::size_t count) {
  if (!known(insn.code)) return refuse(index, "no classic BPF instruction has code " + std::to_string(insn.code));
  if (jumps_out(insn, index, count))
    return refuse(index, "jumps backwards or past the last instruction; jumps go forward, to one of the " +
                             std::to_string(count));
  if (uses_scratch(insn.code) && insn.k >= kScratchWords)
    return refuse(index, "scratch word " + std::to_string(insn.k) + "; there are 0 to 15");
  if (divides_by_constant(insn.code) && insn.k == 0) return refuse(index, "divides by the constant zero");
  return {};
}

}  // namespace

Result<BpfProgram> BpfProgram::make(std::span<const BpfInsn> insns) {
  if (insns.size() > kInsnsMax)
    return fail(std::errc::invalid_argument, "BPF program of " + std::to_string(insns.size()) +
                                                 " instructions; at most " + std::to_string(kInsnsMax));
  for (std::size_t index = 0; index < insns.size(); ++index) {
    if (Status fine = check(insns[index], index, insns.size()); !fine) return std::move(fine).error();
  }
  if (!insns.empty() && (insns.back().code & kClassMask) != kRet)
    return refuse(insns.size() - 1, "the last instruction must be a return");
  BpfProgram program;
  program.insns_.assign(insns.begin(), insns.end());
  return program;
}

}  // namespace vif::net
