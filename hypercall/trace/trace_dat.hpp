// SPDX-License-Identifier: BSD-2-Clause
// A recording as a trace.dat, which trace-cmd and KernelShark read, and virtifctl trace. The control side's thread;
// blocks on the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/session.hpp"
#include "services/trace/trace_dat_head.hpp"

namespace vif::host {

// What went into the file, and what was lost before it could, since the file before it if there was one.
struct ExportedTrace {
  std::uint64_t events, lost;
};

// Takes all that is in the session's rings; each becomes a CPU of the file, in the order of Session::readers. The
// session may go on, but what it enabled later will not be in this file. Errors: the host's errno, of
// a path that cannot be opened, begun or sought in before anything is taken; what was taken before a later one is in
// no file, and RingReader::taken has it.
VIF_API Result<ExportedTrace> write_trace_dat(trace::Session& session, std::span<const trace::ThreadName> threads,
                                              const std::string& path);

// Takes all that is in the session's rings and writes it nowhere; says what was lost.
VIF_API ExportedTrace throw_away(trace::Session& session);

}  // namespace vif::host
