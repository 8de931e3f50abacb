// SPDX-License-Identifier: BSD-2-Clause
// One attacher of a segment: its place, its map of the memory, its socket. Coming makes what is not there and takes
// over what the dead have left; going clears it away when nobody is left. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "hypercall/shm/segment_folder.hpp"
#include "hypercall/shm/segment_memory.hpp"
#include "netstack/base/ports.hpp"

namespace vif::host::shm {

class Attachment {
 public:
  // `ifname` is for people who look at the segment. Errors: SegmentFolder::enter's, take_place's and bind_socket's,
  // SegmentMemory's.
  static Result<std::unique_ptr<Attachment>> open(const SegmentName& name, const std::string& ifname,
                                                  RandomPort& random);
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  Segment& segment() const { return *memory_; }
  std::size_t place() const { return place_; }
  // Places that have, or had, somebody.
  std::size_t places_used() const;
  std::string chosen() const;  // for people

  // --- to be woken ---

  // Readable when somebody has woken us.
  int wake_fd() const { return socket_.get(); }
  // From now on who sends wakes us. False: something may have come just before, look again first.
  void fall_asleep();
  // Nobody needs to wake us any more.
  void get_up();

  // --- to wake ---

  // Whoever sleeps; after something was published.
  void wake_sleepers();

 private:
  Attachment(SegmentFolder folder, SegmentMemory memory, std::size_t place, UniqueFd socket)
      : folder_(std::move(folder)), memory_(std::move(memory)), place_(place), socket_(std::move(socket)) {}

  static Result<SegmentMemory> find_memory(SegmentFolder& folder, const SegmentName& name, RandomPort& random);
  void introduce(const std::string& ifname);
  bool send_wake_up(std::size_t place) const;

  SegmentFolder folder_;
  SegmentMemory memory_;
  const std::size_t place_;
  UniqueFd socket_;
  std::uint32_t sleeps_ = 0;  // the number of the last
};

}  // namespace vif::host::shm
