// SPDX-License-Identifier: BSD-2-Clause
// Bytes into and out of shared memory while others may write there: word by word, each atomic, so that a copy torn by
// somebody else is merely wrong (and found out by the ring's counters) but never undefined.
//
// Two ways in. Through our caches a single frame is soonest with its reader. Past them, where the processor can, a
// burst takes a quarter of the time or less when the reader's processor shares no cache with ours: a line that the
// reader has need not come back to us before it is overwritten.
#pragma once

#include <span>

#include "hypercall/shm/segment_layout.hpp"
#include "netstack/base/bytes.hpp"

// Of clang and of gcc; ThreadSanitizer knows nothing of such stores, so there they go through the caches.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIF_SHM_NO_STREAMING
#endif
#endif
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(VIF_SHM_NO_STREAMING)
#include <emmintrin.h>
#define VIF_SHM_STREAMING
#endif

namespace vif::host::shm {

struct Cached {
  static void store(Word& to, std::uint64_t value) { to.store(value, std::memory_order_relaxed); }
  // All that was stored so is seen by whoever sees something stored after.
  static void done() { std::atomic_thread_fence(std::memory_order_release); }
};

#ifdef VIF_SHM_STREAMING
struct Streaming {
  // MOVNTI of an aligned word is as indivisible as MOV, but in no order with any other store before done(), nor with
  // those before it (Intel SDM 3A, 8.2.2 and 11.4.7): a cached store that must be seen first needs a done(), too.
  static void store(Word& to, std::uint64_t value) {
    _mm_stream_si64(reinterpret_cast<long long*>(&to), static_cast<long long>(value));
  }
  static void done() {
    _mm_sfence();
    Cached::done();
  }
};
#else
using Streaming = Cached;
#endif

// Pieces, one behind the other; the last word is filled up with zeros.
template <class Way>
void store_pieces(Word* to, std::span<const Bytes> pieces) {
  std::array<std::byte, 8> part{};  // of a word that begins in one piece and ends in another
  std::size_t filled = 0;
  for (const Bytes piece : pieces) {
    const std::byte* from = piece.data();
    const std::byte* const end = from + piece.size();
    while (filled > 0 && from != end) {
      part[filled] = *from++;
      filled = (filled + 1) % 8;
      if (filled == 0) Way::store(*to++, std::bit_cast<std::uint64_t>(part));
    }
    for (; end - from >= 8; from += 8) {
      std::uint64_t whole;
      std::memcpy(&whole, from, 8);
      Way::store(*to++, whole);
    }
    while (from != end) part[filled++] = *from++;
  }
  while (filled > 0 && filled < 8) part[filled++] = std::byte{0};
  if (filled > 0) Way::store(*to, std::bit_cast<std::uint64_t>(part));
}

inline void load_words(const Word* from, std::size_t words, std::uint64_t* to) {
  for (std::size_t i = 0; i < words; ++i) to[i] = from[i].load(std::memory_order_relaxed);
}

}  // namespace vif::host::shm
