// SPDX-License-Identifier: BSD-2-Clause
// Numbers as every format of this service stores them: little-endian, at any alignment. Callers check lengths first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "netstack/base/bytes.hpp"

namespace vif::fwu {

inline std::uint16_t load_le16(const std::byte* from) { return load<std::uint16_t, std::endian::little>(from); }
inline std::uint32_t load_le32(const std::byte* from) { return load<std::uint32_t, std::endian::little>(from); }
inline std::uint64_t load_le64(const std::byte* from) { return load<std::uint64_t, std::endian::little>(from); }

inline void store_le16(std::byte* to, std::uint16_t value) { store<std::uint16_t, std::endian::little>(to, value); }
inline void store_le32(std::byte* to, std::uint32_t value) { store<std::uint32_t, std::endian::little>(to, value); }
inline void store_le64(std::byte* to, std::uint64_t value) { store<std::uint64_t, std::endian::little>(to, value); }

inline void append(std::vector<std::byte>& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace vif::fwu
