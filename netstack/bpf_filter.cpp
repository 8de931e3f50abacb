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

std::uint32_t shift_left(std::uint32_t a, std::uint32_t bits) { return bits < 32 ? a << bits : 0; }
std::uint32_t shift_right(std::uint32_t a, std::uint32_t bits) { return bits < 32 ? a >> bits : 0; }

// The length of the IPv4 header that begins at `offset`.
template <class Frame>
bool load_header_bytes(Frame& frame, std::uint64_t offset, std::uint32_t& to) {
  std::uint32_t first = 0;
  if (!frame.template load<std::uint8_t>(offset, first)) return false;
  to = (first & 0xf) * 4;
  return true;
}

// Ends: a validated program only jumps forward and its last instruction returns. One line an instruction.
// clang-format off
template <class Frame>
std::uint32_t run(const BpfInsn* pc, Frame frame, const std::uint32_t wire_bytes) {
  std::array<std::uint32_t, kScratchWords> scratch{};
  std::uint32_t a = 0, x = 0;
  for (bool fine = true; fine; ++pc) {
    const std::uint32_t k = pc->k;
    switch (pc->code) {
      case kLd | kW | kAbs: fine = frame.template load<std::uint32_t>(k, a); break;
      case kLd | kH | kAbs: fine = frame.template load<std::uint16_t>(k, a); break;
      case kLd | kB | kAbs: fine = frame.template load<std::uint8_t>(k, a); break;
      case kLd | kW | kInd: fine = frame.template load<std::uint32_t>(std::uint64_t{x} + k, a); break;
      case kLd | kH | kInd: fine = frame.template load<std::uint16_t>(std::uint64_t{x} + k, a); break;
      case kLd | kB | kInd: fine = frame.template load<std::uint8_t>(std::uint64_t{x} + k, a); break;
      case kLdx | kB | kMsh: fine = load_header_bytes(frame, k, x); break;
      case kLd | kImm: a = k; break;
      case kLd | kMem: a = scratch[k]; break;
      case kLd | kW | kLen: a = wire_bytes; break;
      case kLdx | kImm: x = k; break;
      case kLdx | kMem: x = scratch[k]; break;
      case kLdx | kW | kLen: x = wire_bytes; break;
      case kSt: scratch[k] = a; break;
      case kStx: scratch[k] = x; break;
      case kAlu | kAdd | kK: a += k; break;
      case kAlu | kAdd | kX: a += x; break;
      case kAlu | kSub | kK: a -= k; break;
      case kAlu | kSub | kX: a -= x; break;
      case kAlu | kMul | kK: a *= k; break;
      case kAlu | kMul | kX: a *= x; break;
      case kAlu | kOr | kK: a |= k; break;
      case kAlu | kOr | kX: a |= x; break;
      case kAlu | kAnd | kK: a &= k; break;
      case kAlu | kAnd | kX: a &= x; break;
      case kAlu | kXor | kK: a ^= k; break;
      case kAlu | kXor | kX: a ^= x; break;
      case kAlu | kLsh | kK: a = shift_left(a, k); break;
      case kAlu | kLsh | kX: a = shift_left(a, x); break;
      case kAlu | kRsh | kK: a = shift_right(a, k); break;
      case kAlu | kRsh | kX: a = shift_right(a, x); break;
      case kAlu | kDiv | kK: a /= k; break;
      case kAlu | kMod | kK: a %= k; break;
      case kAlu | kDiv | kX: fine = x != 0 && (a /= x, true); break;
      case kAlu | kMod | kX: fine = x != 0 && (a %= x, true); break;
      case kAlu | kNeg: a = 0 - a; break;
      case kJmp | kJa: pc += k; break;
      case kJmp | kJeq | kK: pc += a == k ? pc->jt : pc->jf; break;
      case kJmp | kJeq | kX: pc += a == x ? pc->jt : pc->jf; break;
      case kJmp | kJgt | kK: pc += a > k ? pc->jt : pc->jf; break;
      case kJmp | kJgt | kX: pc += a > x ? pc->jt : pc->jf; break;
      case kJmp | kJge | kK: pc += a >= k ? pc->jt : pc->jf; break;
      case kJmp | kJge | kX: pc += a >= x ? pc->jt : pc->jf; break;
      case kJmp | kJset | kK: pc += (a & k) != 0 ? pc->jt : pc->jf; break;
      case kJmp | kJset | kX: pc += (a & x) != 0 ? pc->jt : pc->jf; break;
      case kMisc | kTax: x = a; break;
      case kMisc | kTxa: a = x; break;
      case kRet | kK: return k;
      case kRet | kA: return a;
    }
  }
  return 0;
}
// clang-format on

}  // namespace

std::uint32_t bpf_frame_bytes(const Mbuf& packet) {
  return packet.pkthdr.len + (tag_is_beside(packet) ? kTagBytes : 0);
}

std::uint32_t bpf_filter(const BpfProgram& program, const Mbuf& packet) {
  if (program.insns().empty()) return std::numeric_limits<std::uint32_t>::max();
  const std::uint32_t wire_bytes = packet.pkthdr.wire_len != 0 ? packet.pkthdr.wire_len : bpf_frame_bytes(packet);
  if (packet.next() == nullptr && !tag_is_beside(packet))
    return run(program.insns().data(), ContiguousFrame(packet.bytes()), wire_bytes);
  return run(program.insns().data(), ChainFrame(packet), wire_bytes);
}

}  // namespace vif::net
