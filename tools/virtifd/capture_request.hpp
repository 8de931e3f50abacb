// SPDX-License-Identifier: BSD-2-Clause
// What a client asks for with `capture`. Any thread.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/capture/capture_tap.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

struct CaptureRequest {
  std::vector<std::string> ifnames;  // each once
  host::CaptureTap::Config config;
};

// From {"ifnames", "filter", "dir", "snaplen"}, all but the first of which may be left out. EINVAL says what was
// expected.
Result<CaptureRequest> parse_capture_request(const Json& params);

}  // namespace vif::tools
