// SPDX-License-Identifier: BSD-2-Clause
// The exit codes by the names and signs of the kernel series ("Threads support in proc connector", v3 and later): a
// face over ExitCodes for code and tests written against it. Codes are returned in 64 bits, so that none of them is an
// error. `codes` null is the series' "not initialised". Threads: as ExitCodes.
#pragma once

#include "services/connector/exit_codes.hpp"

namespace vif::cn {

// 0; -EEXIST: pid has one, which is kept; -ENOSPC: no place for pid; -ESHUTDOWN; -ENODEV: not initialised.
inline int cn_add_elem(ExitCodes* codes, std::uint32_t uexit_code, std::int32_t pid) {
  return codes == nullptr ? -ENODEV : -codes->add(pid, uexit_code);
}
// 0; -EINVAL: none of pid; -ENODEV.
inline int cn_del_elem(ExitCodes* codes, std::int32_t pid) {
  return codes == nullptr ? -ENODEV : codes->withdraw(pid) == 0 ? 0 : -EINVAL;
}
// The code, 0 to 2^32 - 1, and it is removed; -EINVAL, -ENODEV.
inline std::int64_t cn_del_get_exval(ExitCodes* codes, std::int32_t pid) {
  if (codes == nullptr) return -ENODEV;
  const FoundCode found = codes->take(pid);
  return found ? std::int64_t{found.code} : -EINVAL;
}
// The code, and it stays; -EINVAL, -ENODEV.
inline std::int64_t cn_get_exval(const ExitCodes* codes, std::int32_t pid) {
  if (codes == nullptr) return -ENODEV;
  const FoundCode found = codes->get(pid);
  return found ? std::int64_t{found.code} : -EINVAL;
}
inline bool cn_table_empty(const ExitCodes* codes) { return codes == nullptr || codes->empty(); }
// Throws everything away; later calls are -ESHUTDOWN, and misses. How many there were.
inline std::size_t cn_hash_free_dev(ExitCodes& codes) { return codes.close(); }

}  // namespace vif::cn
