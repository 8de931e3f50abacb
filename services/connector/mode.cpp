// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/mode.hpp"

#include "services/connector/message.hpp"

namespace vif::cn {

bool may_join(Mode mode, std::uint32_t group, bool privileged) {
  if (privileged) return true;
  return mode == Mode::kernel ? (group & 1) != 0 : group == kProcId.idx;
}

}  // namespace vif::cn
