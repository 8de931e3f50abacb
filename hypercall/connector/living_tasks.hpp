// SPDX-License-Identifier: BSD-2-Clause
// Who lives on this host, from procfs. Any thread.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "netstack/base/result.hpp"
#include "services/connector/task_table.hpp"

namespace vif::host {

// Every thread that has not ended; who ends meanwhile may be among them. Those hidden from us (hidepid) are not.
// Errors: the host's, when procfs cannot be read at all.
Result<std::vector<cn::Task>> living_tasks();

// The name a process goes by now; nullopt: it has been reaped.
std::optional<std::array<char, cn::kCommBytes>> name_of(std::int32_t pid);

}  // namespace vif::host
