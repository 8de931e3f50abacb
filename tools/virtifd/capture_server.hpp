// SPDX-License-Identifier: BSD-2-Clause
// The clients of virtifd that capture. On the control thread; destroyed on the domain's when that is gone.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "tools/virtifd/capture_stream.hpp"
#include "tools/virtifd/control_session.hpp"

namespace vif::tools {

class CaptureServer final : public CaptureStream::Owner {
 public:
  static constexpr std::size_t kCapturesMax = 64;

  CaptureServer(boost::asio::io_context& context, host::Node& node) : context_(context), node_(node) {}

  // For the request a session has just taken. A fault: answer it with that. None: its connection is ours now, and the
  // session idle.
  std::optional<RpcFault> begin(ControlSession& session, const RpcRequest& request);

 private:
  void ended(CaptureStream& stream) override;

  boost::asio::io_context& context_;
  host::Node& node_;
  std::unordered_map<CaptureStream*, std::unique_ptr<CaptureStream>> streams_;
};

}  // namespace vif::tools
