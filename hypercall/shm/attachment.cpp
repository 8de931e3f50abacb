// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/attachment.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vif::host::shm {
namespace {

constexpr int kKeyTries = 16;

MemoryRecord draw_record(RandomPort& random) {
  MemoryRecord record;
  record.key = random.next() & 0xffff'ffff;
  if (record.key == 0) record.key = 1;
  for (std::uint64_t& word : record.token) word = random.next();
  return record;
}

}  // namespace

Result<SegmentMemory> Attachment::find_memory(SegmentFolder& folder, const SegmentName& name, RandomPort& random) {
  const bool alone = folder.is_empty();
  if (alone) folder.set_mode(name.mode);
  if (const std::optional<MemoryRecord> record = folder.read_record()) {
    Result<SegmentMemory> memory = SegmentMemory::attach(*record, SegmentMemory::For::reading_and_writing);
    if (!alone || (memory && memory->mode() == name.mode)) return memory;
    SegmentMemory::remove_unusable(*record);
  } else if (!alone) {
    return fail(EPROTO, "segment " + name.name + " has attachers, but its file does not say where its memory is");
  }
  for (int tries = 0;; ++tries) {
    const MemoryRecord record = draw_record(random);
    if (Status written = folder.write_record(record); !written) return std::move(written).error();
    Result<SegmentMemory> memory = SegmentMemory::create(record, name.mode);
    if (memory || memory.error().number() != EEXIST || tries == kKeyTries) return memory;
  }
}

Result<std::unique_ptr<Attachment>> Attachment::open(const SegmentName& name, const std::string& ifname,
                                                     RandomPort& random) {
  Result<SegmentFolder> folder = SegmentFolder::enter(name);
  if (!folder) return std::move(folder).error();
  const bool made_now = !folder->read_record();
  // Who fails leaves nothing behind that was not there.
  const auto give_up = [&](Error why) {
    if (made_now && folder->is_empty()) folder->remove();
    return why;
  };
  Result<SegmentMemory> memory = find_memory(*folder, name, random);
  if (!memory) return give_up(std::move(memory).error());
  const Result<std::size_t> place = folder->take_place();
  Result<UniqueFd> socket = place ? folder->bind_socket(*place) : Result<UniqueFd>(place.error());
  if (!socket) {
    if (made_now && folder->is_empty()) memory->remove();
    return give_up(std::move(socket).error());
  }
  std::unique_ptr<Attachment> attachment(
      new Attachment(std::move(*folder), std::move(*memory), *place, std::move(*socket)));
  attachment->introduce(ifname);
  attachment->folder_.open_gate();
  return attachment;
}

void Attachment::introduce(const std::string& ifname) {
  Segment& shared = segment();
  Attacher& us = shared.attachers[place_];
  us.first_frame.store(shared.progress[place_].published.load(std::memory_order_relaxed), std::memory_order_relaxed);
  us.pid.store(static_cast<std::uint64_t>(::getpid()), std::memory_order_relaxed);
  std::array<std::uint64_t, 2> name{};
  std::memcpy(name.data(), ifname.data(), std::min(ifname.size(), sizeof name));
  for (std::size_t i = 0; i < name.size(); ++i) us.ifname[i].store(name[i], std::memory_order_relaxed);
  get_up();
  const auto used = static_cast<std::uint32_t>(std::max(places_used(), place_ + 1));
  shared.places_used.store(used, std::memory_order_release);
}

// When the gate stays closed, what is left is for the next one to clear away.
Attachment::~Attachment() {
  get_up();
  if (!folder_.close_gate()) return;
  folder_.leave(place_);
  if (!folder_.is_empty()) return;
  memory_.remove();
  folder_.remove();
}

std::size_t Attachment::places_used() const {
  return std::min<std::size_t>(segment().places_used.load(std::memory_order_acquire), kPlaces);
}

std::string Attachment::chosen() const {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "place %zu of %zu; System V memory 0x%08x", place_, kPlaces, memory_.key());
  return text.data();
}

void Attachment::fall_asleep() {
  std::array<char, 8> wakes;
  // Bounded, whoever goes on waking us: a socket takes few, and what comes later wakes us again.
  for (int i = 0; i < 1024 && ::recv(socket_.get(), wakes.data(), wakes.size(), 0) >= 0; ++i) {
  }
  if (++sleeps_ == 0) ++sleeps_;
  segment().asleep[place_].store(sleeps_, std::memory_order_relaxed);
  // Either we see what was published before its sender looked, or the sender sees us asleep; so in wake_sleepers.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Attachment::get_up() { segment().asleep[place_].store(0, std::memory_order_relaxed); }

void Attachment::wake_sleepers() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::size_t used = places_used();
  for (std::size_t place = 0; place < used; ++place) {
    std::atomic<std::uint32_t>& asleep = segment().asleep[place];
    std::uint32_t sleep = asleep.load(std::memory_order_relaxed);
    if (sleep == 0 || place == place_ || !send_wake_up(place)) continue;
    // Only after: had we died in between the other way round, nobody would ever wake it.
    asleep.compare_exchange_strong(sleep, 0, std::memory_order_relaxed);
  }
}

// Whether there is nothing left to do: it is woken, or has been, or is dead.
bool Attachment::send_wake_up(std::size_t place) const {
  const sockaddr_un address = folder_.socket_address(place);
  const char wake = 0;
  const ssize_t sent = ::sendto(socket_.get(), &wake, sizeof wake, MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return sent >= 0 || errno == EAGAIN || errno == ECONNREFUSED || errno == ENOENT;
}

}  // namespace vif::host::shm
