// SPDX-License-Identifier: BSD-2-Clause
// What a call of the table comes to, as the kernel has it. Plain value, any thread.
#pragma once

#include <cerrno>
#include <cstdint>

namespace vif::host::packetdrill {

using Answer = std::int64_t;  // what the call returns, or an errno, negated

}  // namespace vif::host::packetdrill
