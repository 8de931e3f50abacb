// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host_error.hpp"

#include <cerrno>

namespace vif::host {

Error host_error(const std::string& what) {
  const std::error_code code(errno, std::generic_category());
  return {code, what + ": " + code.message()};
}

}  // namespace vif::host
