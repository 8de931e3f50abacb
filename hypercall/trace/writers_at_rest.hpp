// SPDX-License-Identifier: BSD-2-Clause
// Waits for writers before what they may have been using is freed: a Session is destroyed, or a filter, behind it.
#pragma once

#include <span>

#include "netstack/base/api.hpp"
#include "services/trace/writer.hpp"

namespace vif::host {

// Returns when no writer is in a Writer::Section any more that began before the call; what was taken away before the
// call none of them will see again. Any thread but a writer's inside a Section; they are in one for a record's time.
VIF_API void await_writers(std::span<trace::Writer* const> writers);

}  // namespace vif::host
