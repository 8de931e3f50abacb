// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/end_on_signals.hpp"

#include <sys/socket.h>

#include <atomic>
#include <cerrno>

namespace vif::tools {
namespace {

std::atomic<int> socket_to_end{-1};
std::atomic<bool> signal_came{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

extern "C" void end_conversation(int) {
  const int error = errno;
  signal_came = true;
  ::shutdown(socket_to_end, SHUT_WR);  // async-signal-safe (POSIX.1-2017, 2.4.3)
  errno = error;
}

}  // namespace

EndOnSignals::EndOnSignals(int socket) {
  socket_to_end = socket;
  signal_came = false;
  struct sigaction action {};
  action.sa_handler = end_conversation;
  // A write to a pipe that is full goes on: who wrote it would take EINTR for an error.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);  // as nohup has it
  }
}

EndOnSignals::~EndOnSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
}

bool EndOnSignals::came() const { return signal_came; }

}  // namespace vif::tools
