// SPDX-License-Identifier: BSD-2-Clause
// Bytes into and out of a ring while others may write there: in blocks of 16, each by one instruction where the
// processor has it and else word by word, so that a copy torn by somebody else is merely wrong (and found out by the
// ring's counters) but never undefined.
//
// Two ways in. Through our caches a single frame is soonest with its reader. Past them a burst takes half the time, and
// a tenth when the reader's processor shares no cache with ours: a line that the reader has need not come back to us to
// be overwritten. docs/performance.md has the numbers.
#pragma once

#include <span>

#include "hypercall/shm/segment_layout.hpp"
#include "netstack/base/bytes.hpp"

// ThreadSanitizer knows only what is atomic in C++, so for it (clang's, then gcc's) it is word by word.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIF_SHM_WORDS
#endif
#endif
#if defined(__SANITIZE_THREAD__) || !defined(__SSE2__)
#define VIF_SHM_WORDS
#endif
#ifndef VIF_SHM_WORDS
#include <emmintrin.h>
#endif

namespace vif::host::shm {

inline constexpr std::size_t kBlockBytes = 16;
inline constexpr std::size_t kBlockWords = kBlockBytes / sizeof(Word);
using Block = std::array<std::uint64_t, kBlockWords>;

constexpr std::uint64_t whole_blocks(std::uint64_t bytes) { return (bytes + kBlockBytes - 1) & ~(kBlockBytes - 1); }

#ifdef VIF_SHM_WORDS

struct Cached {
  static void store(Word* to, const Block& block) {
    for (std::size_t i = 0; i < kBlockWords; ++i) to[i].store(block[i], std::memory_order_relaxed);
  }
  // All that was stored so is seen by whoever sees something stored after.
  static void done() { std::atomic_thread_fence(std::memory_order_release); }
};
using Streaming = Cached;

inline Block load_block(const Word* from) {
  Block block;
  for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = from[i].load(std::memory_order_relaxed);
  return block;
}

#else

// Volatile, so that one access is made of it, as of a relaxed atomic one; of its two words each is whole.
struct Cached {
  static void store(Word* to, const Block& block) {
    *reinterpret_cast<volatile __m128i*>(to) = std::bit_cast<__m128i>(block);
  }
  // All that was stored so is seen by whoever sees something stored after.
  static void done() { std::atomic_thread_fence(std::memory_order_release); }
};
struct Streaming {
  // In no order with any other store before done(), nor with those before it (Intel SDM 3A, 8.2.2): a cached store that
  // must be seen first needs a done(), too.
  static void store(Word* to, const Block& block) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), std::bit_cast<__m128i>(block));
  }
  static void done() {
    _mm_sfence();
    Cached::done();
  }
};

inline Block load_block(const Word* from) {
  const __m128i block = *reinterpret_cast<const volatile __m128i*>(from);
  return std::bit_cast<Block>(block);
}

#endif

// Pieces, one behind the other; the last block is filled up with zeros.
template <class Way>
void store_pieces(Word* to, std::span<const Bytes> pieces) {
  std::array<std::byte, kBlockBytes> part{};  // of a block that begins in one piece and ends in another
  std::size_t filled = 0;
  const auto put = [&](const std::byte* block) {
    Block words;
    std::memcpy(&words, block, sizeof words);
    Way::store(to, words);
    to += kBlockWords;
  };
  for (const Bytes piece : pieces) {
    const std::byte* from = piece.data();
    const std::byte* const end = from + piece.size();
    while (filled > 0 && from != end) {
      part[filled] = *from++;
      filled = (filled + 1) % kBlockBytes;
      if (filled == 0) put(part.data());
    }
    for (; end - from >= static_cast<std::ptrdiff_t>(kBlockBytes); from += kBlockBytes) put(from);
    while (from != end) part[filled++] = *from++;
  }
  if (filled == 0) return;
  while (filled < kBlockBytes) part[filled++] = std::byte{0};
  put(part.data());
}

// Whole blocks of them.
inline void load_blocks(const Word* from, std::size_t bytes, std::byte* to) {
  for (std::size_t at = 0; at < bytes; at += kBlockBytes) {
    const Block block = load_block(from + at / sizeof(Word));
    std::memcpy(to + at, &block, sizeof block);
  }
}

}  // namespace vif::host::shm
