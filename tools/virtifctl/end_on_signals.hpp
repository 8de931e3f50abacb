// SPDX-License-Identifier: BSD-2-Clause
// Ends a conversation in good order when the user has had enough: the first SIGINT, SIGTERM or SIGHUP shuts down our
// side of a socket, so that the other one finishes what it says and hangs up; the next one ends the process as ever.
// One of these at a time; no thread waits for the signal, and a write that hangs does not keep it out.
#pragma once

#include <array>
#include <csignal>

namespace vif::tools {

class EndOnSignals {
 public:
  explicit EndOnSignals(int socket);  // which outlives this
  ~EndOnSignals();
  EndOnSignals(const EndOnSignals&) = delete;
  EndOnSignals& operator=(const EndOnSignals&) = delete;

  bool came() const;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace vif::tools
