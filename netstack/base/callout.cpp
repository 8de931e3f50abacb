// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/base/callout.hpp"

#include <algorithm>

namespace vif {

void Callout::schedule(Time deadline) {
  cancel();
  deadline_ = std::max(deadline, queue_.now_);
  queue_.insert(*this);
}

void Callout::cancel() {
  if (pending()) queue_.remove(*this);
}

void CalloutQueue::advance(Time now) {
  now_ = now;
  // What is scheduled from here on comes, with a deadline of `now` at least and a later sequence number, behind all
  // that is due already.
  const std::uint64_t sequence_end = next_sequence_;
  while (!heap_.empty() && heap_.front()->deadline_ <= now && heap_.front()->sequence_ < sequence_end) {
    Callout& due = *heap_.front();
    remove(due);
    // A copy: the action may destroy its callout.
    const auto action = due.action_;
    action();
  }
}

std::optional<Time> CalloutQueue::next_deadline() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->deadline_;
}

void CalloutQueue::insert(Callout& callout) {
  callout.sequence_ = next_sequence_++;
  heap_.push_back(&callout);
  place(callout, heap_.size() - 1);
  sift_up(callout.slot_);
}

void CalloutQueue::remove(Callout& callout) {
  const std::size_t slot = callout.slot_;
  callout.slot_ = Callout::kIdle;
  Callout& last = *heap_.back();
  heap_.pop_back();
  if (slot == heap_.size()) return;
  place(last, slot);
  sift_up(slot);
  sift_down(last.slot_);
}

void CalloutQueue::sift_up(std::size_t slot) {
  Callout& moving = *heap_[slot];
  for (; slot > 0 && moving.before(*heap_[(slot - 1) / 2]); slot = (slot - 1) / 2) place(*heap_[(slot - 1) / 2], slot);
  place(moving, slot);
}

void CalloutQueue::sift_down(std::size_t slot) {
  Callout& moving = *heap_[slot];
  for (std::size_t child; (child = slot * 2 + 1) < heap_.size(); slot = child) {
    if (child + 1 < heap_.size() && heap_[child + 1]->before(*heap_[child])) ++child;
    if (!heap_[child]->before(moving)) break;
    place(*heap_[child], slot);
  }
  place(moving, slot);
}

void CalloutQueue::place(Callout& callout, std::size_t slot) {
  heap_[slot] = &callout;
  callout.slot_ = slot;
}

}  // namespace vif
