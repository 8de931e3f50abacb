// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/bpf_compile.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <memory>
#include <string>

#include "hypercall/bpf_words.hpp"

namespace vif::host {
namespace {

// libpcap's MAXIMUM_SNAPLEN (pcap-int.h): what an accepting program returns.
constexpr int kSnapshotBytes = 262'144;

// The Linux compiler asks the kernel for what is not in the frame by loads from "negative" offsets: SKF_LL_OFF
// (-0x200000) and above, <linux/filter.h>. Here they would only ever be beyond the end of the frame.
constexpr std::uint32_t kSocketOffset = 0xffe00000;

bool asks_the_socket(const bpf_insn& insn) {
  return BPF_CLASS(insn.code) == BPF_LD && BPF_MODE(insn.code) == BPF_ABS && insn.k >= kSocketOffset;
}

bool jumps_back(const bpf_insn& insn) { return insn.code == (BPF_JMP | BPF_JA) && insn.k > 0x7fffffff; }

Result<net::BpfProgram> take(const bpf_program& compiled) {
  const std::span<const bpf_insn> from(compiled.bf_insns, compiled.bf_len);
  if (std::any_of(from.begin(), from.end(), asks_the_socket))
    return fail(std::errc::invalid_argument,
                "inbound, outbound and ifindex are not in the frame; choose interface and direction where you listen");
  if (std::any_of(from.begin(), from.end(), jumps_back))
    return fail(std::errc::invalid_argument, "protochain needs a loop, which filters may not have; write proto");
  std::vector<net::BpfInsn> insns;
  insns.reserve(from.size());
  for (const bpf_insn& insn : from) insns.push_back({.code = insn.code, .jt = insn.jt, .jf = insn.jf, .k = insn.k});
  return net::BpfProgram::make(insns);
}

}  // namespace

Result<net::BpfProgram> compile_filter(std::string_view expression, Names names) {
  if (expression.size() > kFilterExpressionBytesMax)
    return fail(std::errc::invalid_argument, "a filter of " + std::to_string(expression.size()) + " bytes; at most " +
                                                 std::to_string(kFilterExpressionBytesMax));
  if (expression.find('\0') != std::string_view::npos)
    return fail(std::errc::invalid_argument, "a filter is text, and this one holds a NUL byte");
  if (expression.find_first_not_of(" \r\n\t") == std::string_view::npos) return net::BpfProgram();
  if (names == Names::numeric) {
    if (Status fine = check_numeric(expression); !fine) return std::move(fine).error();
  }
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> pcap(pcap_open_dead(DLT_EN10MB, kSnapshotBytes), pcap_close);
  if (!pcap) return fail(std::errc::not_enough_memory, "libpcap has no memory to compile a filter");
  bpf_program compiled{};
  if (pcap_compile(pcap.get(), &compiled, std::string(expression).c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return fail(std::errc::invalid_argument, pcap_geterr(pcap.get()));
  const std::unique_ptr<bpf_program, decltype(&pcap_freecode)> owner(&compiled, pcap_freecode);
  return take(compiled);
}

}  // namespace vif::host
