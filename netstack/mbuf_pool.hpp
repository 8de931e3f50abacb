// SPDX-License-Identifier: BSD-2-Clause
// A fixed number of mbufs of a few sizes, preallocated: taking and returning one is a pop and a push.
//
// One pool per domain, used on that domain's thread only (counts are readable anywhere). Full means no: it never grows.
// The pool outlives every mbuf taken from it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include "netstack/base/counter.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net {

// The largest frame a capture file can carry: libpcap's MAXIMUM_SNAPLEN (pcap-int.h).
inline constexpr std::size_t kFrameBytesMax = 262'144;

// Room kept before a frame's first byte, for headers to come (VLAN tag, virtio_net_hdr, VXLAN), and chosen so that
// what follows a 14-byte Ethernet header is 4-aligned.
inline constexpr std::size_t kHeadroomBytes = 130;

class VIF_API MbufPool {
 public:
  // Storage classes, smallest first: an ordinary frame, a 9000-byte jumbo, a 64 KiB super-frame, the largest capture.
  static constexpr std::size_t kClasses = 4;
  static constexpr std::array<std::uint32_t, kClasses> kStorageBytes = {2048, 10'240, 66'560, kFrameBytesMax + 512};

  struct Config {
    std::array<std::uint32_t, kClasses> counts = {4096, 256, 128, 16};
    std::uint32_t external = 1024;  // mbufs without storage, for attach_external
  };

  explicit MbufPool(const Config& config);
  ~MbufPool();  // every mbuf is back
  MbufPool(const MbufPool&) = delete;
  MbufPool& operator=(const MbufPool&) = delete;

  // An empty packet with room for `bytes` behind kHeadroomBytes. Null when that size is used up or above the largest.
  MbufPtr get(std::size_t bytes) noexcept;

  // As many packets of one size as there are, at most `into.size()`; returns how many.
  std::size_t get_burst(std::span<MbufPtr> into, std::size_t bytes) noexcept;

  // Takes every packet back; null entries are skipped.
  static void put_burst(std::span<MbufPtr> packets) noexcept;

  // A packet that is a copy of `frame` in one piece; null as get().
  MbufPtr copy_in(Bytes frame) noexcept;

  // A packet over the caller's storage, all of it valid; `release(cookie, storage)` is called once, on the domain's
  // thread, when the last byte is let go. Null (and no release) when the headers are used up.
  MbufPtr attach_external(MutBytes storage, void (*release)(void* cookie, MutBytes storage), void* cookie) noexcept;

  // Extends the packet's last mbuf by `bytes`, at most its tailroom, and returns where they are, uninitialised.
  static std::byte* append(Mbuf& m, std::size_t bytes) noexcept;

  std::uint64_t in_use() const { return in_use_.load(std::memory_order_relaxed); }  // any thread
  std::uint64_t refused() const { return refused_.get(); }  // any thread: how often there was none

 private:
  friend struct MbufFree;
  static constexpr std::uint8_t kExternal = kClasses;

  // Of one class: `slots` never grows, so returning an mbuf cannot fail.
  struct FreeStack {
    std::unique_ptr<Mbuf*[]> slots;
    std::uint32_t count = 0;
  };

  Mbuf* pop(std::size_t storage_class) noexcept;
  void put(Mbuf* m) noexcept;

  std::unique_ptr<Mbuf[]> mbufs_;
  std::array<std::unique_ptr<std::byte[]>, kClasses> storage_;
  std::array<FreeStack, kClasses + 1> free_;
  std::atomic<std::uint64_t> in_use_{0};  // written by the domain's thread only
  Counter refused_;
};

}  // namespace vif::net
