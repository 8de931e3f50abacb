// SPDX-License-Identifier: BSD-2-Clause
// One item of a firmware capsule, and what stands in front of its image. For capsule.cpp only.
#pragma once

#include <cstdint>

#include "services/fwu/capsule.hpp"

namespace vif::fwu {

// The item at `offset` of the file, which must end by `limit`. Errors as Capsule::read.
Result<FmpItem> read_item(ByteRange& file, std::uint64_t offset, std::uint64_t limit);

}  // namespace vif::fwu
