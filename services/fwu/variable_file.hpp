// SPDX-License-Identifier: BSD-2-Clause
// U-Boot's file of EFI variables, ubootefi.var: a header with a CRC, then one variable after the other, each at a
// multiple of 8. Read whole and written whole. Any thread.
#pragma once

#include <vector>

#include "netstack/base/api.hpp"
#include "services/fwu/variables.hpp"

namespace vif::fwu {

inline constexpr std::size_t kVariableFileBytesMax = 1024 * 1024;  // ours

// Errors: EBADMSG damaged; the sentence says where. EFBIG: more than kVariableFileBytesMax.
VIF_API Result<std::vector<Variable>> read_variable_file(Bytes file);
// Of any size; who keeps it asks whether it can be read again.
VIF_API std::vector<std::byte> write_variable_file(const std::vector<Variable>& variables);

}  // namespace vif::fwu
