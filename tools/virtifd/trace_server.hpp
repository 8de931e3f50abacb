// SPDX-License-Identifier: BSD-2-Clause
// The clients of virtifd that trace: the methods "trace.*". On the control thread; destroyed on the domain's when that
// is gone.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "tools/virtifd/control_session.hpp"
#include "tools/virtifd/trace_record_stream.hpp"

namespace vif::tools {

class TraceServer final : public TraceRecordStream::Owner {
 public:
  TraceServer(boost::asio::io_context& context, TraceService& service) : context_(context), service_(service) {}

  static bool knows(const std::string& method);
  // For the request a session has just taken. Its answer; none: its connection is ours now, and the session idle.
  std::optional<Result<Json>> carry_out(ControlSession& session, const RpcRequest& request);

 private:
  std::optional<Result<Json>> record(ControlSession& session, const RpcRequest& request);
  std::optional<Result<Json>> extract(ControlSession& session, const RpcRequest& request);
  // Null: its connection is in use.
  TraceRecordStream* take_connection(ControlSession& session, trace::Take takes);
  void ended(TraceRecordStream& stream) override;

  boost::asio::io_context& context_;
  TraceService& service_;
  std::unordered_map<TraceRecordStream*, std::unique_ptr<TraceRecordStream>> streams_;
};

}  // namespace vif::tools
