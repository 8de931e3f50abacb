// SPDX-License-Identifier: BSD-2-Clause
// What lies in the shared memory of a segment, and why any process may die at any instruction or write any nonsense
// there. Every attacher has a place with a ring of its own, the only one it writes; everyone reads the rings of all
// others, each at its own pace, and tells the sender nothing. So nobody waits for anybody, and the last frames of each
// sender lie there until they are written over, whoever has died since.
//
// No pointers: numbers that only grow, taken modulo the ring. Zeros are a good beginning for all of it but the header.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vif::host::shm {

inline constexpr std::size_t kPlaces = 64;                  // attachers at a time
inline constexpr std::size_t kRingFrames = 4096;            // a ring keeps at most so many frames
inline constexpr std::size_t kRingBytes = 2 * 1024 * 1024;  // and so many bytes; memory nobody touched costs nothing
// A super-frame: 64 KiB of IP packet, and room for the headers before it.
inline constexpr std::uint32_t kFrameBytesMax = 65'600;

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8,
              "shared between processes, it can have no lock beside it");

// Who made the segment and how; the same for as long as it lives.
struct alignas(64) Header {
  static constexpr std::uint64_t kMagic = 0x6d'68'73'66'69'74'72'76;  // "vrtifshm"
  static constexpr std::uint64_t kVersion = 1;                        // of everything in this file

  Word magic;  // written last
  Word version;
  std::array<Word, 2> token;  // drawn at random; the segment's file has it, too
  Word segment_bytes;
};

// How far a sender is. Two lines: readers look at the first all the time.
struct Progress {
  alignas(64) Word published;  // frames that are whole
  // What may be being written over just now: of the ring's descriptors up to `begun_frames`, of its bytes up to
  // `begun_bytes`. Always said before, and read again after anything was copied out: a copy is good when its place was
  // not begun again by then.
  alignas(64) Word begun_frames;
  Word begun_bytes;
};

// Of one frame, packed as frame_descriptor.hpp does.
struct alignas(32) Descriptor {
  std::array<Word, 4> words;
};

struct Ring {
  alignas(4096) std::array<Descriptor, kRingFrames> descriptors;  // frame n is described at n % kRingFrames
  std::array<Word, kRingBytes / sizeof(Word)> words;              // byte n lies at n % kRingBytes; no frame wraps
};

// For people: who sits, or sat last, at a place.
struct alignas(64) Attacher {
  Word first_frame;  // what was published before was somebody else's
  Word pid;
  std::array<Word, 2> ifname;
};

struct Segment {
  Header header;
  alignas(64) std::atomic<std::uint32_t> places_used;  // places 0 .. this - 1 have had an attacher; only grows
  // Who sleeps: 0, or the number of the sleep, which is never the same twice. Who has something for a sleeper wakes it
  // first, and then takes the number away, unless that sleep is over by then.
  alignas(64) std::array<std::atomic<std::uint32_t>, kPlaces> asleep;
  std::array<Progress, kPlaces> progress;
  std::array<Attacher, kPlaces> attachers;
  std::array<Ring, kPlaces> rings;
};

}  // namespace vif::host::shm
