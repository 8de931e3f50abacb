// SPDX-License-Identifier: BSD-2-Clause
// Any program that make() accepts, on any frame: libpcap's machine on the same bytes must say the same, however the
// frame is cut and wherever its tag is kept.
//
// Input: count of instructions, two cuts, a difference to the length on the wire; then 8 bytes an instruction; the rest
// is the frame.
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "netstack/bpf_program.hpp"
#include "netstack/mbuf_pool.hpp"

namespace {

using namespace vif::net;
using vif::Bytes;

constexpr std::size_t kScratchWords = 16, kHeaderBytes = 4, kInsnBytes = 8, kFrameBytes = 1500;

// What makes a useful program, so that not nearly all inputs are refused.
constexpr std::uint16_t kCodes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c,
                                    0x1d, 0x20, 0x24, 0x25, 0x28, 0x2c, 0x2d, 0x30, 0x34, 0x35, 0x3c, 0x3d, 0x40,
                                    0x44, 0x45, 0x48, 0x4c, 0x4d, 0x50, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74,
                                    0x7c, 0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xa4, 0xac, 0xb1};

struct Cuts {
  std::size_t first, second;
};

MbufPool& pool() {
  static MbufPool one({.counts = {8, 0, 0, 0}, .external = 0});
  return one;
}

MbufPtr piece(Bytes bytes) { return bytes.empty() ? pool().get(0) : pool().copy_in(bytes); }

MbufPtr chain(Bytes frame, Cuts cuts) {
  const std::size_t one = cuts.first % (frame.size() + 1), other = cuts.second % (frame.size() + 1);
  const std::size_t first = std::min(one, other), second = std::max(one, other);
  MbufPtr packet = piece(frame.first(first));
  m_cat(packet, piece(frame.subspan(first, second - first)));
  m_cat(packet, piece(frame.subspan(second)));
  return packet;
}

// The highest bit of the code's byte pair chooses between a code of the table and any code.
BpfInsn instruction(Bytes eight) {
  const auto raw = vif::load<std::uint16_t, std::endian::big>(eight.data());
  const std::uint16_t code =
      (raw & 0x8000) != 0 ? static_cast<std::uint16_t>(raw & 0x7fff) : kCodes[raw % std::size(kCodes)];
  return {.code = code,
          .jt = std::to_integer<std::uint8_t>(eight[2]),
          .jf = std::to_integer<std::uint8_t>(eight[3]),
          .k = vif::load_be32(&eight[4])};
}

// libpcap's machine leaves scratch memory as it was and a constant shift by 32 or more to the processor.
std::vector<bpf_insn> for_libpcap(std::span<const BpfInsn> insns) {
  std::vector<bpf_insn> theirs;
  for (std::uint32_t word = 0; word < kScratchWords; ++word) theirs.push_back({BPF_ST, 0, 0, word});
  for (const BpfInsn& insn : insns) {
    const bool shift = insn.code == (BPF_ALU | BPF_LSH | BPF_K) || insn.code == (BPF_ALU | BPF_RSH | BPF_K);
    const bool gone = shift && insn.k >= 32;
    theirs.push_back({gone ? static_cast<std::uint16_t>(BPF_ALU | BPF_AND | BPF_K) : insn.code, insn.jt, insn.jf,
                      gone ? 0 : insn.k});
  }
  return theirs;
}

void must(bool fine) {
  if (!fine) std::abort();
}

void expect_same(const BpfProgram& program, Bytes frame, Cuts cuts, std::uint32_t wire_bytes) {
  auto theirs = for_libpcap(program.insns());
  must(bpf_validate(theirs.data(), static_cast<int>(theirs.size())) == 1);
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t expected = bpf_filter(theirs.data(), reinterpret_cast<const std::uint8_t*>(frame.data()),
                                            wire_bytes != 0 ? wire_bytes : size, size);
  for (const MbufPtr& packet : {piece(frame), chain(frame, cuts)}) {
    packet->pkthdr.wire_len = wire_bytes;
    must(vif::net::bpf_filter(program, *packet) == expected);
  }
  if (size < 16 || vif::load_be16(&frame[12]) != 0x8100) return;
  std::vector<std::byte> bare(frame.begin(), frame.end());
  bare.erase(bare.begin() + 12, bare.begin() + 16);
  for (const MbufPtr& packet : {piece(bare), chain(bare, cuts)}) {
    packet->pkthdr.wire_len = wire_bytes;
    packet->pkthdr.flags = M_VLANTAG;
    packet->pkthdr.vlan_tci = vif::load_be16(&frame[14]);
    must(vif::net::bpf_filter(program, *packet) == expected);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input = std::as_bytes(std::span(data, size));
  if (input.size() < kHeaderBytes) return 0;
  const auto at = [&](std::size_t i) { return std::to_integer<std::size_t>(input[i]); };
  const std::size_t count = std::min(at(0), (input.size() - kHeaderBytes) / kInsnBytes);
  const Cuts cuts = {at(1), at(2)};
  const std::size_t cut_off = at(3);
  input = input.subspan(kHeaderBytes);

  std::vector<BpfInsn> insns;
  for (std::size_t i = 0; i < count; ++i) insns.push_back(instruction(input.subspan(i * kInsnBytes, kInsnBytes)));
  const auto program = BpfProgram::make(insns);
  if (!program) return 0;
  Bytes frame = input.subspan(count * kInsnBytes);
  frame = frame.first(std::min(frame.size(), kFrameBytes));
  if (program->insns().empty()) return 0;  // nothing to compare: libpcap has no empty program but the null pointer
  expect_same(*program, frame, cuts, cut_off == 0 ? 0 : static_cast<std::uint32_t>(frame.size() + cut_off));
  return 0;
}
