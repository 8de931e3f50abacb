// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/mode.hpp"

#include "services/connector/kernel_rules.hpp"
#include "services/connector/safe_rules.hpp"

namespace vif::cn {

bool may_join(Mode mode, std::uint32_t group, bool privileged) {
  if (privileged) return true;
  return mode == Mode::kernel ? (group & 1) != 0 : group == kProcId.idx;
}

std::unique_ptr<ListenRules> make_listen_rules(Mode mode, const TaskTable* tasks) {
  if (mode == Mode::kernel) return std::make_unique<KernelRules>();
  return std::make_unique<SafeRules>(tasks);
}

}  // namespace vif::cn
