// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/trace_server.hpp"

#include "tools/virtifd/trace_methods.hpp"

namespace vif::tools {
namespace {

constexpr std::string_view kRecord = "trace.record", kExtract = "trace.extract";

Error in_use(std::string_view method) {
  return fail(EBUSY,
              std::string(method) + " takes its connection: use one without `monitor`, and send nothing behind it");
}

Status check(const RpcRequest& request, std::span<const host::VerbParam> params) {
  if (request.id.is_null()) return fail(EINVAL, request.method + " needs an 'id'");
  return host::check_params({.name = request.method, .says = {}, .params = params, .returns = {}, .run = nullptr},
                            request.params);
}

}  // namespace

bool TraceServer::knows(const std::string& method) {
  return method == kRecord || method == kExtract || find_trace_method(method) != nullptr;
}

std::optional<Result<Json>> TraceServer::carry_out(ControlSession& session, const RpcRequest& request) {
  if (request.method == kRecord) return record(session, request);
  if (request.method == kExtract) return extract(session, request);
  return call_trace_method(*find_trace_method(request.method), {service_, session.user(), request.params});
}

std::optional<Result<Json>> TraceServer::record(ControlSession& session, const RpcRequest& request) {
  std::vector<host::VerbParam> params(trace_wish_params().begin(), trace_wish_params().end());
  params.push_back({"follow", host::ParamType::boolean, false, "whether records are sent at once"});
  if (Status fits = check(request, params); !fits) return fits.error();
  auto recording = service_.record(wish_of(request.params));
  if (!recording) return std::move(recording).error();
  const auto takes = request.params.value("follow", false) ? trace::Take::everything : trace::Take::whole;
  if (TraceRecordStream* const stream = take_connection(session, takes); stream != nullptr) {
    stream->start(request.id, *std::move(recording));
    return std::nullopt;
  }
  service_.stop(**recording);
  return in_use(kRecord);
}

std::optional<Result<Json>> TraceServer::extract(ControlSession& session, const RpcRequest& request) {
  if (Status fits = check(request, {}); !fits) return fits.error();
  trace::Session* const flight = service_.flight();
  if (flight == nullptr) return fail(ENOENT, "nothing is recorded: begin with `virtifctl trace enable`");
  TraceRecordStream* const stream = take_connection(session, trace::Take::everything);
  if (stream == nullptr) return in_use(kExtract);
  stream->start_once(request.id, *flight);
  return std::nullopt;
}

TraceRecordStream* TraceServer::take_connection(ControlSession& session, trace::Take takes) {
  auto socket = session.give_away();
  if (!socket) return nullptr;
  auto stream = std::make_unique<TraceRecordStream>(context_, service_, *this, std::move(*socket), takes);
  TraceRecordStream& added = *stream;
  streams_.emplace(&added, std::move(stream));
  return &added;
}

void TraceServer::ended(TraceRecordStream& stream) {
  if (stream.idle()) streams_.erase(&stream);
}

}  // namespace vif::tools
