// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/shm_dump.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "hypercall/shm/ring_reader.hpp"
#include "hypercall/shm/segment_folder.hpp"
#include "hypercall/shm/segment_memory.hpp"
#include "hypercall/shm/shm_link.hpp"

namespace vif::host {
namespace {

using namespace shm;

// The name an attacher gave itself, as far as it can be printed.
std::string name_of(const Attacher& attacher) {
  std::array<std::uint64_t, 2> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = attacher.ifname[i].load(std::memory_order_relaxed);
  std::array<char, sizeof words> bytes;
  std::memcpy(bytes.data(), words.data(), sizeof words);
  std::string name(bytes.begin(), std::find(bytes.begin(), bytes.end(), '\0'));
  for (char& c : name) c = c > ' ' && c <= '~' ? c : '?';
  return name.empty() ? "?" : name;
}

// Appends the frames of one place, and who sent them.
void dump_place(const Segment& segment, std::size_t place, bool attached, ShmDump& dump) {
  const std::uint64_t published = segment.progress[place].published.load(std::memory_order_acquire);
  const Attacher& shared = segment.attachers[place];
  const std::uint64_t first_frame = std::min(published, shared.first_frame.load(std::memory_order_relaxed));
  ShmAttacher before{.place = place, .ifname = {}, .sent_frames = first_frame};
  ShmAttacher current{.place = place,
                      .ifname = name_of(shared),
                      .process = shared.pid.load(std::memory_order_relaxed),
                      .attached = attached,
                      .sent_frames = published - first_frame};
  const std::size_t frames_before = dump.frames.size();
  RingReader reader(segment.progress[place], segment.rings[place]);
  reader.rewind();
  const auto buffer = std::make_unique<ReadBuffer>();
  // One at a time, to know which each is. A sender that goes on is not followed.
  const auto before_now = [&] { return static_cast<std::int64_t>(published - reader.next()) > 0; };
  for (std::size_t left = kRingFrames; left > 0 && before_now(); --left) {
    const std::uint64_t number = reader.next();
    const RingReader::Burst burst = reader.read(1, *buffer);
    if (burst.looked_at == 0) break;
    for (const drv::RxFrame& frame : burst.frames) {
      ShmAttacher& sender = number < first_frame ? before : current;
      ++sender.kept_frames;
      dump.frames.push_back(
          {number < first_frame ? 0U : 1U, frame.timestamp_ns, {frame.bytes.begin(), frame.bytes.end()}});
    }
  }
  if (before.kept_frames > 0) dump.attachers.push_back(before);
  dump.attachers.push_back(current);
  for (std::size_t i = frames_before; i < dump.frames.size(); ++i) {
    dump.frames[i].attacher = dump.attachers.size() - (dump.frames[i].attacher == 0 ? 2 : 1);
  }
}

}  // namespace

Result<ShmDump> dump_shm_segment(const drv::Linkstr& linkstr) {
  if (linkstr.scheme != "shm") return fail(EINVAL, "expected a segment, shm:/NAME, not '" + linkstr.format() + "'");
  const Result<SegmentName> name = shm_segment_name(linkstr);
  if (!name) return name.error();
  const Result<SegmentFolder> folder = SegmentFolder::look(*name);
  if (!folder) return folder.error();
  const std::optional<MemoryRecord> record = folder->read_record();
  if (!record) return fail(EPROTO, "segment " + linkstr.argument + ": its file does not say where its memory is");
  const Result<SegmentMemory> memory = SegmentMemory::attach(*record, SegmentMemory::For::reading);
  if (!memory) return memory.error();
  ShmDump dump{.name = linkstr.argument, .attachers = {}, .frames = {}};
  const std::size_t used = std::min<std::size_t>((*memory)->places_used.load(std::memory_order_acquire), kPlaces);
  for (std::size_t place = 0; place < used; ++place) dump_place(**memory, place, folder->is_taken(place), dump);
  std::stable_sort(dump.frames.begin(), dump.frames.end(),
                   [](const ShmFrame& a, const ShmFrame& b) { return a.timestamp_ns < b.timestamp_ns; });
  return dump;
}

}  // namespace vif::host
