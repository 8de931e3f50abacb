// SPDX-License-Identifier: BSD-2-Clause
// What a thread says of its own end. It attaches once; from then on, also in a signal handler, it may register a code,
// which is told with its exit however it comes about: return, pthread_exit, cancellation, an exception.
//
//   thread_attach(codes);              in the thread, early
//   exit_notify(7);                    before it ends, or in a handler; the last one counts
//   ExitNotice notice(7); ...          or: 7, unless all_well() is reached
//   notice.all_well();
//
// In the child of a thread that has attached there are no codes, and its one thread is attached.
#pragma once

#include "netstack/base/api.hpp"
#include "services/connector/exit_codes.hpp"

namespace vif::host {

// A table as large as thread ids can be here (/proc/sys/kernel/pid_max). Errors: ENOMEM.
VIF_API Result<std::unique_ptr<cn::ExitCodes>> make_exit_codes();

// For the calling thread, until it ends. `codes` outlives every thread that attaches to it.
// Errors: EBUSY: it is attached to another table; ENOSPC, ESHUTDOWN: as ExitCodes::attach.
VIF_API Status thread_attach(cn::ExitCodes& codes);

// 0, or a positive errno: ESRCH: the thread has not attached; ENOSPC, ESHUTDOWN. Safe in signal handlers.
VIF_API int exit_notify(std::uint32_t code);
// Takes it back: ENOENT: there is none; ESRCH. Safe in signal handlers.
VIF_API int exit_withdraw();

// A code for every way out of a scope but one.
class ExitNotice {
 public:
  explicit ExitNotice(std::uint32_t code) { (void)exit_notify(code); }
  ExitNotice(const ExitNotice&) = delete;
  ExitNotice& operator=(const ExitNotice&) = delete;
  void all_well() { (void)exit_withdraw(); }
};

}  // namespace vif::host
