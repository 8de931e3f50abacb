// SPDX-License-Identifier: BSD-2-Clause
// The last events of a process that died, from the files its rings were in (ring_files.hpp). Any thread; blocks on the
// files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

struct SalvagedTrace {
  std::uint64_t events, lost;
  std::vector<Error> bad;  // of each ring that could not be read, and was left out
};

// Of the last process that recorded into this folder and is dead, as a trace.dat. The folder is left as it is. ENOENT:
// nobody died there, or its rings were not in use. EINVAL and others: no ring there is a recording. Errors: the host's.
VIF_API Result<SalvagedTrace> salvage(const std::string& folder, const std::string& path);

}  // namespace vif::host
