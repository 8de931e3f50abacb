// SPDX-License-Identifier: BSD-2-Clause
// Whether a bus behaves as it should or as the kernel does. Chosen when the bus is made, and read in mode.cpp alone.
#pragma once

#include <cstdint>

namespace vif::cn {

enum class Mode : std::uint8_t {
  safe,    // the kernel's bytes and rules without its quirks
  kernel,  // Linux 6.18 as observed, quirks Q1 to Q9 included (kernel_rules.hpp names them)
};

// cn_bind looks at bit 0 of the group's number where it means "group 1".
bool may_join(Mode mode, std::uint32_t group, bool privileged);

}  // namespace vif::cn
