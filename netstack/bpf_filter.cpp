// SPDX-License-Identifier: BSD-2-Clause
// The machine: runs a validated program on a frame. Two views of a frame, one for the common case of one piece without
// a tag beside it, and one loop that knows neither.
#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

#include "netstack/bpf_opcodes.hpp"
#include "netstack/bpf_program.hpp"

namespace vif::net {
namespace {

using namespace bpf;

// Where an 802.1Q tag stands: after the two addresses. Source: IEEE 802.1Q-2018, 9.5 (TPID) and annex G (frame format).
constexpr std::uint64_t kTagOffset = 12;
constexpr std::uint32_t kTagBytes = 4;
constexpr std::uint32_t kTagTpid = 0x8100;

bool tag_is_beside(const Mbuf& packet) {
  return (packet.pkthdr.flags & M_VLANTAG) != 0 && packet.pkthdr.len >= kTagOffset;
}

class ContiguousFrame {
 public:
  explicit ContiguousFrame(Bytes bytes) : bytes_(bytes) {}

  // Network byte order; false when a byte of it is beyond the end. No offset is near 2^64: the sum cannot wrap.
  template <class T>
  bool load(std::uint64_t offset, std::uint32_t& to) const {
    if (offset + sizeof(T) > bytes_.size()) return false;
    to = vif::load<T, std::endian::big>(bytes_.data() + offset);
    return true;
  }

 private:
  Bytes bytes_;
};

// Remembers the piece of the last load: programs mostly read forward.
class ChainFrame {
 public:
  explicit ChainFrame(const Mbuf& packet) : first_(packet), piece_(&packet), bytes_(bpf_frame_bytes(packet)) {
    if (!tag_is_beside(packet)) return;
    tag_offset_ = kTagOffset;
    tag_ = kTagTpid << 16 | packet.pkthdr.vlan_tci;
  }

  template <class T>
  bool load(std::uint64_t offset, std::uint32_t& to) {
    if (offset + sizeof(T) > bytes_) return false;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8 | byte_at(offset + i);
    to = value;
    return true;
  }

 private:
  std::uint32_t byte_at(std::uint64_t offset) {
    if (offset >= tag_offset_) {
      if (offset < tag_offset_ + kTagBytes) return tag_ >> 8 * (tag_offset_ + kTagBytes - 1 - offset) & 0xff;
      offset -= kTagBytes;
    }
    if (offset < piece_offset_) piece_ = &first_, piece_offset_ = 0;
    while (offset - piece_offset_ >= piece_->len()) {
      piece_offset_ += piece_->len();
      piece_ = piece_->next();
      assert(piece_ != nullptr);  // pkthdr.len counts the chain's bytes
    }
    return std::to_integer<std::uint32_t>(piece_->bytes()[offset - piece_offset_]);
  }

  const Mbuf& first_;
  const Mbuf* piece_;
  std::uint64_t piece_offset_ = 0;  // of the piece's first byte in the chain
  std::uint64_t bytes_;
  std::uint64_t tag_offset_ = std::numeric_limits<std::uint64_t>::max() - kTagBytes;
  std::uint32_t tag_ = 0;
};

struct Registers {
  std::uint32_t a = 0, x = 0;
  std::array<std::uint32_t, kScratchWords> scratch{};
  std::uint32_t wire_bytes = 0;
};

template <class Frame>
bool load_packet(Frame& frame, std::uint16_t code, std::uint64_t offset, std::uint32_t& to) {
  switch (code & kSizeMask) {
    case kW:
      return frame.template load<std::uint32_t>(offset, to);
    case kH:
      return frame.template load<std::uint16_t>(offset, to);
    default:
      return frame.template load<std::uint8_t>(offset, to);
  }
}

template <class Frame>
bool load_a(Frame& frame, const BpfInsn& insn, Registers& r) {
  switch (insn.code & kModeMask) {
    case kAbs:
      return load_packet(frame, insn.code, insn.k, r.a);
    case kInd:
      return load_packet(frame, insn.code, std::uint64_t{r.x} + insn.k, r.a);
    case kImm:
      return r.a = insn.k, true;
    case kMem:
      return r.a = r.scratch[insn.k], true;
    default:
      return r.a = r.wire_bytes, true;
  }
}

template <class Frame>
bool load_x(Frame& frame, const BpfInsn& insn, Registers& r) {
  switch (insn.code & kModeMask) {
    case kMsh: {  // the length of the IPv4 header that begins at k
      std::uint32_t first = 0;
      if (!frame.template load<std::uint8_t>(insn.k, first)) return false;
      r.x = (first & 0xf) * 4;
      return true;
    }
    case kImm:
      return r.x = insn.k, true;
    case kMem:
      return r.x = r.scratch[insn.k], true;
    default:
      return r.x = r.wire_bytes, true;
  }
}

// False: divided by zero.
bool compute(std::uint16_t code, std::uint32_t operand, std::uint32_t& a) {
  switch (code & kOpMask) {
    case kAdd:
      return a += operand, true;
    case kSub:
      return a -= operand, true;
    case kMul:
      return a *= operand, true;
    case kDiv:
      return operand != 0 && (a /= operand, true);
    case kMod:
      return operand != 0 && (a %= operand, true);
    case kAnd:
      return a &= operand, true;
    case kOr:
      return a |= operand, true;
    case kXor:
      return a ^= operand, true;
    case kLsh:
      return a = operand < 32 ? a << operand : 0, true;
    case kRsh:
      return a = operand < 32 ? a >> operand : 0, true;
    default:
      return a = 0 - a, true;
  }
}

std::uint32_t skipped(const BpfInsn& insn, std::uint32_t operand, std::uint32_t a) {
  switch (insn.code & kOpMask) {
    case kJeq:
      return a == operand ? insn.jt : insn.jf;
    case kJgt:
      return a > operand ? insn.jt : insn.jf;
    case kJge:
      return a >= operand ? insn.jt : insn.jf;
    case kJset:
      return (a & operand) != 0 ? insn.jt : insn.jf;
    default:
      return insn.k;
  }
}

// Ends: a validated program only jumps forward and its last instruction returns.
template <class Frame>
std::uint32_t run(std::span<const BpfInsn> insns, Frame frame, std::uint32_t wire_bytes) {
  Registers r{.wire_bytes = wire_bytes};
  for (const BpfInsn* pc = insns.data();; ++pc) {
    const std::uint32_t operand = (pc->code & kX) != 0 ? r.x : pc->k;
    switch (pc->code & kClassMask) {
      case kLd:
        if (!load_a(frame, *pc, r)) return 0;
        break;
      case kLdx:
        if (!load_x(frame, *pc, r)) return 0;
        break;
      case kSt:
        r.scratch[pc->k] = r.a;
        break;
      case kStx:
        r.scratch[pc->k] = r.x;
        break;
      case kAlu:
        if (!compute(pc->code, operand, r.a)) return 0;
        break;
      case kJmp:
        pc += skipped(*pc, operand, r.a);
        break;
      case kRet:
        return (pc->code & kA) != 0 ? r.a : pc->k;
      default:
        (pc->code & kTxa) != 0 ? r.a = r.x : r.x = r.a;
    }
  }
}

}  // namespace

std::uint32_t bpf_frame_bytes(const Mbuf& packet) {
  return packet.pkthdr.len + (tag_is_beside(packet) ? kTagBytes : 0);
}

std::uint32_t bpf_filter(const BpfProgram& program, const Mbuf& packet) {
  if (program.insns().empty()) return std::numeric_limits<std::uint32_t>::max();
  const std::uint32_t wire_bytes = packet.pkthdr.wire_len != 0 ? packet.pkthdr.wire_len : bpf_frame_bytes(packet);
  if (packet.next() == nullptr && !tag_is_beside(packet))
    return run(program.insns(), ContiguousFrame(packet.bytes()), wire_bytes);
  return run(program.insns(), ChainFrame(packet), wire_bytes);
}

}  // namespace vif::net
