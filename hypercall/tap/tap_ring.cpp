// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_ring.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace vif::host {

bool TapRing::begin() {
  queued_ = 0;
  if (ring_) return true;
  if (!allowed_ || failures_ >= kFailuresMax) return false;
  auto made = IoRing::create(kBatch, 2 * kBatch);
  if (!made || !(*made)->register_file(fd_)) {
    ++failures_;
    return false;
  }
  ring_ = std::move(*made);
  const bool can_pin = ::io_uring_register_buffers_sparse(ring_->raw(), kPlaces) == 0;  // from Linux 5.19 on
  pinned_.fill(can_pin ? Pinned::not_tried : Pinned::refused);
  return true;
}

// Refused where RLIMIT_MEMLOCK is small: then without.
bool TapRing::pin(Place place) {
  if (place == Place::elsewhere) return false;
  const auto index = static_cast<unsigned>(place);
  Pinned& pinned = pinned_[index];
  if (pinned == Pinned::not_tried) {
    const MutBytes all = place == Place::sent_slots   ? memory_.all_sent()
                         : place == Place::near_slots ? memory_.all_near()
                                                      : memory_.received();
    const iovec slots{all.data(), all.size()};
    const __u64 untagged = 0;
    const int answer = ::io_uring_register_buffers_update_tag(ring_->raw(), index, &slots, &untagged, 1);
    pinned = answer == 1 ? Pinned::yes : Pinned::refused;
  }
  return pinned == Pinned::yes;
}

io_uring_sqe& TapRing::next(std::uint8_t opcode, std::uint8_t fixed_opcode, Place place) {
  assert(queued_ < kBatch);
  const bool fixed = pin(place);
  io_uring_sqe& sqe = *::io_uring_get_sqe(ring_->raw());
  sqe = {};
  sqe.opcode = fixed ? fixed_opcode : opcode;
  sqe.buf_index = fixed ? static_cast<std::uint16_t>(place) : 0;
  sqe.fd = 0;  // the registered file
  sqe.flags = IOSQE_FIXED_FILE;
  sqe.rw_flags = RWF_NOWAIT;  // else one that finds nothing would wait in the ring
  sqe.user_data = queued_++;
  return sqe;
}

void TapRing::read(MutBytes into, Place place) {
  io_uring_sqe& sqe = next(IORING_OP_READ, IORING_OP_READ_FIXED, place);
  sqe.addr = reinterpret_cast<std::uintptr_t>(into.data());
  sqe.len = static_cast<std::uint32_t>(into.size());
}

void TapRing::write(Bytes from, Place place) {
  io_uring_sqe& sqe = next(IORING_OP_WRITE, IORING_OP_WRITE_FIXED, place);
  sqe.addr = reinterpret_cast<std::uintptr_t>(from.data());
  sqe.len = static_cast<std::uint32_t>(from.size());
}

std::span<const int> TapRing::run() {
  io_uring* const raw = ring_->raw();
  int said = 0;
  // An interrupted call has begun nothing, or all of it; a short one ran out of memory on the way.
  for (int tries = 0; tries < 3 && ::io_uring_sq_ready(raw) > 0; ++tries) {
    said = ::io_uring_submit_and_wait(raw, ::io_uring_sq_ready(raw));
    if (said <= 0 && said != -EINTR) break;
  }
  const std::size_t begun = queued_ - ::io_uring_sq_ready(raw);
  reap(begun);
  if (begun < queued_) {
    // EEXIST: it is another thread's.
    if (said != -EEXIST) ++failures_;
    ring_.reset();
  }
  return std::span(answers_).first(begun);
}

void TapRing::reap(std::size_t begun) {
  std::fill_n(answers_.begin(), begun, -EIO);
  io_uring* const raw = ring_->raw();
  unsigned head = 0, seen = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(raw, head, cqe) {
    ++seen;
    if (cqe->user_data < begun) answers_[cqe->user_data] = cqe->res;
  }
  ::io_uring_cq_advance(raw, seen);
}

void TapRing::close() {
  ring_.reset();
  failures_ = 0;
}

}  // namespace vif::host
