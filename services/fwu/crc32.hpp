// SPDX-License-Identifier: BSD-2-Clause
// The CRC-32 of zlib, GPT and FWU metadata (IEEE 802.3, reflected, polynomial 0xedb88320). For headers: a table, a byte
// at a time. Plain function, any thread.
#pragma once

#include <cstdint>

#include "netstack/base/bytes.hpp"

namespace vif::fwu {

// Of `bytes`, going on from the CRC of what stood before them.
std::uint32_t crc32(Bytes bytes, std::uint32_t before = 0);

}  // namespace vif::fwu
