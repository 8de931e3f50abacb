// SPDX-License-Identifier: BSD-2-Clause
// One thread's side of recording. Whoever owns the thread makes it one and hands it to every write.
#pragma once

#include <cstdint>

#include "netstack/base/ports.hpp"

namespace vif::trace {

class Writer {
 public:
  // `thread_id`: what records say in common_pid.
  Writer(std::int32_t thread_id, ClockPort& clock) : thread_id_(thread_id), clock_(clock) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::int32_t thread_id() const { return thread_id_; }
  ClockPort& clock() const { return clock_; }

 private:
  std::int32_t thread_id_;
  ClockPort& clock_;
};

}  // namespace vif::trace
