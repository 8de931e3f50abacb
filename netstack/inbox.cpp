// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inbox.hpp"

#include <algorithm>
#include <bit>

namespace vif::net {

Inbox::Inbox(std::size_t capacity)
    : mask_(std::bit_ceil(std::max<std::size_t>(capacity, 2)) - 1), cells_(std::make_unique<Cell[]>(mask_ + 1)) {
  for (std::size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
}

bool Inbox::push(Command&& command) {
  std::uint64_t ticket = tail_.load(std::memory_order_relaxed);
  for (;;) {
    Cell& cell = cells_[ticket & mask_];
    const std::uint64_t turn = cell.turn.load(std::memory_order_acquire);
    if (turn < ticket) return false;  // still holds the command of one lap ago
    if (turn > ticket) {
      ticket = tail_.load(std::memory_order_relaxed);
    } else if (tail_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed)) {
      cell.command = std::move(command);
      // Releases the command to pop(), and is ordered before the poster's look at the owner's sleep (Domain::post).
      cell.turn.store(ticket + 1, std::memory_order_seq_cst);
      return true;
    }
  }
}

bool Inbox::pop(Command& into) {
  Cell& cell = cells_[head_ & mask_];
  if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
  into = std::move(cell.command);
  cell.command = nullptr;
  cell.turn.store(head_ + mask_ + 1, std::memory_order_release);  // free for the next lap
  ++head_;
  return true;
}

bool Inbox::empty() const { return cells_[head_ & mask_].turn.load(std::memory_order_seq_cst) != head_ + 1; }

}  // namespace vif::net
