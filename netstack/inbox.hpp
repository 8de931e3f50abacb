// SPDX-License-Identifier: BSD-2-Clause
// A bounded queue of commands from any thread to the one thread that owns it. Full means no; it never grows or blocks.
//
// Lock-free in the manner of D. Vyukov's bounded queue: each cell carries the ticket that says whose turn it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "netstack/base/api.hpp"

namespace vif::net {

using Command = std::function<void()>;

class VIF_API Inbox {
 public:
  // `capacity` is rounded up to a power of two, at least 2.
  explicit Inbox(std::size_t capacity);

  bool push(Command&& command);  // any thread; false: full, `command` is untouched
  bool pop(Command& into);       // the owner's thread; false: empty
  bool empty() const;            // the owner's thread

 private:
  struct Cell {
    std::atomic<std::uint64_t> turn;
    Command command;
  };

  std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // producers
  alignas(64) std::uint64_t head_ = 0;              // the owner
};

}  // namespace vif::net
