// SPDX-License-Identifier: BSD-2-Clause
// What a client may ask of virtifd's tracing and is answered at once: groups, events, their status, the flight
// recorder. The control thread's.
#pragma once

#include <span>
#include <string_view>

#include "hypercall/host/verbs/verb.hpp"
#include "tools/virtifd/trace_service.hpp"

namespace vif::tools {

struct TraceCall {
  TraceService& service;
  uid_t user;  // who calls
  const host::Json& params;
};

struct TraceMethod {
  std::string_view name;  // "trace.group.add"
  std::span<const host::VerbParam> params;
  Result<host::Json> (*run)(const TraceCall& call);
};

// Null: there is none.
const TraceMethod* find_trace_method(std::string_view name);
// EINVAL: parameters that it does not take, or lacks. Otherwise what it says.
Result<host::Json> call_trace_method(const TraceMethod& method, const TraceCall& call);

// The parameters of a recording: events, filter, buffer_kib, overwrite.
std::span<const host::VerbParam> trace_wish_params();
TraceService::Wish wish_of(const host::Json& params);  // of parameters that were checked

}  // namespace vif::tools
