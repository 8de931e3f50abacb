// SPDX-License-Identifier: BSD-2-Clause
// Work on a frame that is left to somebody else: its checksum, or cutting it into the frames that go on a wire. Plain
// values, any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vif::net {

// What travels with a frame whose checksum or segmentation somebody else will do. Field for field virtio_net_hdr in
// host byte order (OASIS virtio 1.2, 5.1.6): what TAP speaks.
struct Offload {
  static constexpr std::uint8_t kNeedsChecksum = 1;  // flags
  static constexpr std::uint8_t kDataValid = 2;
  static constexpr std::uint8_t kGsoNone = 0;  // gso_type
  static constexpr std::uint8_t kGsoTcp4 = 1;
  static constexpr std::uint8_t kGsoTcp6 = 4;
  static constexpr std::uint8_t kGsoUdpL4 = 5;
  static constexpr std::uint8_t kGsoEcn = 0x80;  // with one of the TCPs: the frame has CWR set

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kGsoNone;
  std::uint16_t hdr_len = 0;   // a hint, as in virtio: nobody may rely on it
  std::uint16_t gso_size = 0;  // payload bytes of each segment
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;

  constexpr bool is_super_frame() const { return gso_type != kGsoNone; }
  // Whether the frame is not yet what the wire is to carry.
  constexpr bool is_pending() const { return is_super_frame() || (flags & kNeedsChecksum) != 0; }

  // A header of `bytes` is put before the packet, or taken off its front: what is counted from there follows. False:
  // the checksum was to begin inside it.
  constexpr void prepended(std::size_t bytes) {
    hdr_len = static_cast<std::uint16_t>(std::min(hdr_len + (hdr_len != 0 ? bytes : 0), kFieldMax));
    csum_start = static_cast<std::uint16_t>(std::min(csum_start + (is_pending() ? bytes : 0), kFieldMax));
  }
  [[nodiscard]] constexpr bool stripped(std::size_t bytes) {
    hdr_len = static_cast<std::uint16_t>(hdr_len - std::min<std::size_t>(hdr_len, bytes));
    if (!is_pending()) return true;
    if (csum_start < bytes) return false;
    csum_start = static_cast<std::uint16_t>(csum_start - bytes);
    return true;
  }

  friend bool operator==(const Offload&, const Offload&) = default;

 private:
  static constexpr std::size_t kFieldMax = 0xffff;
};

// How many frames on the wire a frame of `bytes` stands for.
constexpr std::uint64_t segments(const Offload& offload, std::size_t bytes) {
  if (offload.gso_type == Offload::kGsoNone || offload.gso_size == 0 || bytes <= offload.hdr_len) return 1;
  return (bytes - offload.hdr_len + offload.gso_size - 1) / offload.gso_size;
}

// Which of this work somebody does: what a link takes from us, and what it may give.
struct OffloadSet {
  bool csum = false;                // finishes a checksum; without it none of the others
  bool tso4 = false, tso6 = false;  // cuts TCP, with kGsoEcn or not
  bool uso = false;                 // cuts UDP

  static constexpr OffloadSet all() { return {true, true, true, true}; }

  // Whether a frame with this work left may be given as it is.
  constexpr bool takes(const Offload& offload) const {
    if (!offload.is_pending()) return true;
    if (!csum) return false;
    switch (offload.gso_type) {
      case Offload::kGsoNone:
        return true;
      case Offload::kGsoTcp4:
      case Offload::kGsoTcp4 | Offload::kGsoEcn:
        return tso4;
      case Offload::kGsoTcp6:
      case Offload::kGsoTcp6 | Offload::kGsoEcn:
        return tso6;
      case Offload::kGsoUdpL4:
        return uso;
      default:
        return false;
    }
  }

  friend bool operator==(const OffloadSet&, const OffloadSet&) = default;
};

}  // namespace vif::net
