// SPDX-License-Identifier: BSD-2-Clause
// One thread's side of recording: its number, its clock and its ring in every session. Whoever owns the thread makes it
// one, lets sessions add their rings (Session::add_writer), and hands it to every write. All but busy() and the lanes
// is the thread's own; signal handlers on it may write, too, and lose what would land amidst a record.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "netstack/base/ports.hpp"
#include "services/trace/filter.hpp"
#include "services/trace/probe.hpp"
#include "services/trace/ring_writer.hpp"

namespace vif::trace {

// The filter of every event by its type id, from kFirstTypeId on; null keeps all.
using FilterTable = std::atomic<const Filter*>;

class Writer {
 public:
  // What a session gives the thread. Set by the control side.
  struct Lane {
    std::atomic<RingWriter*> ring{nullptr};
    std::atomic<const FilterTable*> filters{nullptr};
  };

  // `thread_id`: what records say in common_pid.
  Writer(std::int32_t thread_id, ClockPort& clock) : thread_id_(thread_id), clock_(clock) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Around everything that uses lanes or probes.
  class Section {
   public:
    explicit Section(Writer& writer) : writer_(writer), depth_(writer.depth_.load(std::memory_order_relaxed)) {
      writer.depth_.store(depth_ + 1, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Section() {
      // Release: whoever sees the thread out of it sees what it did.
      writer_.depth_.store(depth_, std::memory_order_release);
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    Writer& writer_;
    std::uint32_t depth_;
  };

  // Whether the thread is in a Section. Any thread; to see those that began earlier, it makes all threads pass a memory
  // barrier (membarrier(2)) after it took away what they may use, and then asks until the answer is no.
  bool busy() const { return depth_.load(std::memory_order_acquire) != 0; }

  // In a Section that interrupted another: only a signal handler's can.
  bool nested() const { return depth_.load(std::memory_order_relaxed) > 1; }

  std::int32_t thread_id() const { return thread_id_; }
  std::uint64_t now_ns() { return static_cast<std::uint64_t>(clock_.now().count()); }

  std::array<Lane, kProbesMax> lanes;

 private:
  std::int32_t thread_id_;
  ClockPort& clock_;
  std::atomic<std::uint32_t> depth_{0};
};

}  // namespace vif::trace
