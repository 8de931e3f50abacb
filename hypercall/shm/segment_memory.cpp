// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/segment_memory.hpp"

#include <sys/shm.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "hypercall/host_error.hpp"

namespace vif::host::shm {
namespace {

// Keys are 32 bits that shmget(2) takes as an int; 0 is IPC_PRIVATE.
key_t key_of(const MemoryRecord& record) { return static_cast<key_t>(static_cast<std::uint32_t>(record.key)); }

Segment* map(int id, int flags) {
  void* const at = ::shmat(id, nullptr, flags);
  return at == reinterpret_cast<void*>(-1) ? nullptr : static_cast<Segment*>(at);
}

std::string in_words(const MemoryRecord& record) {
  return "the shared memory with key " + std::to_string(static_cast<std::uint32_t>(record.key));
}

bool is_of(const MemoryRecord& record, const Header& header) {
  return header.magic.load(std::memory_order_acquire) == Header::kMagic &&
         header.token[0].load(std::memory_order_relaxed) == record.token[0] &&
         header.token[1].load(std::memory_order_relaxed) == record.token[1];
}

bool is_ours_to_use(const Header& header) {
  return header.version.load(std::memory_order_relaxed) == Header::kVersion &&
         header.segment_bytes.load(std::memory_order_relaxed) == sizeof(Segment);
}

}  // namespace

Result<SegmentMemory> SegmentMemory::create(const MemoryRecord& record, mode_t mode) {
  // Without SHM_NORESERVE all of it would count against what the machine may promise, though little is ever touched.
  const int flags = IPC_CREAT | IPC_EXCL | SHM_NORESERVE | static_cast<int>(mode);
  const int id = ::shmget(key_of(record), sizeof(Segment), flags);
  if (id < 0 && errno == ENOSYS) return host_error("this kernel has no System V shared memory (CONFIG_SYSVIPC)");
  if (id < 0 && errno == ENOSPC) return host_error("no more shared memory (ipcs -lm shows the limits, ipcrm helps)");
  if (id < 0) return host_error("cannot make shared memory");
  Segment* const segment = map(id, 0);
  if (segment == nullptr) {
    const Error error = host_error("cannot map shared memory");
    ::shmctl(id, IPC_RMID, nullptr);
    return error;
  }
  Header& header = segment->header;
  header.version.store(Header::kVersion, std::memory_order_relaxed);
  header.segment_bytes.store(sizeof(Segment), std::memory_order_relaxed);
  for (std::size_t i = 0; i < record.token.size(); ++i)
    header.token[i].store(record.token[i], std::memory_order_relaxed);
  header.magic.store(Header::kMagic, std::memory_order_release);
  return SegmentMemory(id, segment, static_cast<std::uint32_t>(record.key));
}

Result<SegmentMemory> SegmentMemory::attach(const MemoryRecord& record, For what) {
  const int id = ::shmget(key_of(record), 0, 0);
  Segment* const segment = id < 0 ? nullptr : map(id, what == For::reading ? SHM_RDONLY : 0);
  if (segment == nullptr) return host_error("cannot attach " + in_words(record));
  SegmentMemory memory(id, segment, static_cast<std::uint32_t>(record.key));
  struct shmid_ds status {};
  if (::shmctl(id, IPC_STAT, &status) != 0) return host_error("cannot look at " + in_words(record));
  memory.mode_ = status.shm_perm.mode & 0777;
  const bool whole = status.shm_segsz >= sizeof(Header) && is_of(record, segment->header);
  if (whole && is_ours_to_use(segment->header) && status.shm_segsz >= sizeof(Segment)) return memory;
  return fail(
      EPROTO,
      in_words(record) +
          (whole ? " is laid out by another version of virtif: expected version " + std::to_string(Header::kVersion)
                 : " is not this segment's: it was never finished, or that was in another IPC namespace"));
}

void SegmentMemory::remove_unusable(const MemoryRecord& record) {
  const int id = ::shmget(key_of(record), sizeof(Header), 0);
  Segment* const segment = id < 0 ? nullptr : map(id, SHM_RDONLY);
  if (segment == nullptr) return;
  struct shmid_ds status {};
  const bool unfinished = segment->header.magic.load(std::memory_order_acquire) == 0 &&
                          ::shmctl(id, IPC_STAT, &status) == 0 && status.shm_segsz == sizeof(Segment);
  if (unfinished || is_of(record, segment->header)) ::shmctl(id, IPC_RMID, nullptr);
  ::shmdt(segment);
}

SegmentMemory::~SegmentMemory() {
  if (segment_ != nullptr) ::shmdt(segment_);
}

void SegmentMemory::remove() { ::shmctl(id_, IPC_RMID, nullptr); }

}  // namespace vif::host::shm
