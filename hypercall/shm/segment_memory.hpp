// SPDX-License-Identifier: BSD-2-Clause
// The memory of a segment: System V shared memory, because the kernel gives it a size once and for all. Nobody, not
// even its owner, can cut it short under those who have mapped it, as a file can be (a later access is SIGBUS, and
// death); a memory file could be sealed against that, but is gone with its last process, and what it held is wanted
// most then.
#pragma once

#include <sys/types.h>

#include <utility>

#include "hypercall/shm/segment_folder.hpp"
#include "hypercall/shm/segment_layout.hpp"

namespace vif::host::shm {

class SegmentMemory {
 public:
  enum class For : std::uint8_t { reading_and_writing, reading };

  // New memory, empty, as `record` says. Write that down first: then whoever dies in between leaves nothing that nobody
  // finds. Errors: EEXIST the key is somebody else's, draw another; ENOSPC, ENOSYS ...
  static Result<SegmentMemory> create(const MemoryRecord& record, mode_t mode);

  // ENOENT: there is none with this key. EPROTO: it is not the one of the record, or not of our version.
  static Result<SegmentMemory> attach(const MemoryRecord& record, For what);

  // Takes away memory that nobody uses and that cannot be used: another version's, another mode's, or never finished.
  // What is not of the segment stays.
  static void remove_unusable(const MemoryRecord& record);

  SegmentMemory(SegmentMemory&& other) noexcept
      : id_(other.id_), segment_(std::exchange(other.segment_, nullptr)), key_(other.key_), mode_(other.mode_) {}
  SegmentMemory& operator=(SegmentMemory&&) = delete;
  ~SegmentMemory();

  Segment& operator*() const { return *segment_; }
  Segment* operator->() const { return segment_; }
  std::uint32_t key() const { return key_; }
  mode_t mode() const { return mode_; }

  void remove();  // once all have detached; nobody finds it any more

 private:
  SegmentMemory(int id, Segment* segment, std::uint32_t key) : id_(id), segment_(segment), key_(key) {}

  int id_;
  Segment* segment_;
  std::uint32_t key_;
  mode_t mode_ = 0;
};

}  // namespace vif::host::shm
