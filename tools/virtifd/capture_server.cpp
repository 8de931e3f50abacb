// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/capture_server.hpp"

#include <sys/eventfd.h>

#include "hypercall/host_error.hpp"

namespace vif::tools {

std::optional<RpcFault> CaptureServer::begin(ControlSession& session, const RpcRequest& request) {
  Result<CaptureRequest> asked = parse_capture_request(request.params);
  if (!asked) return fault_of(asked.error(), request.id);
  if (request.id.is_null()) return RpcFault{kInvalidRequest, "capture needs an 'id'", nullptr};
  if (streams_.size() >= kCapturesMax) {
    return RpcFault{EUSERS, "virtifd serves " + std::to_string(kCapturesMax) + " captures at once: end one of them",
                    request.id};
  }
  host::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fault_of(host::host_error("cannot make an event for a capture"), request.id);
  auto socket = session.give_away();
  if (!socket) {
    return RpcFault{EBUSY, "capture takes its connection: use one without `monitor`, and send nothing behind it",
                    request.id};
  }
  auto stream = std::make_unique<CaptureStream>(context_, node_, *this, std::move(event), std::move(*socket));
  CaptureStream& added = *stream;
  streams_.emplace(&added, std::move(stream));
  added.start(request.id, std::move(*asked));
  return std::nullopt;
}

void CaptureServer::ended(CaptureStream& stream) {
  if (stream.idle()) streams_.erase(&stream);
}

}  // namespace vif::tools
