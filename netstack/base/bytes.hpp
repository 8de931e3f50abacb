// SPDX-License-Identifier: BSD-2-Clause
// Bytes and the numbers in them. Callers check a length once; these do not check again.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace vif {

using Bytes = std::span<const std::byte>;
using MutBytes = std::span<std::byte>;

template <class T>
constexpr T byteswap(T value) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (sizeof(T) == 1) return value;
  else if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  else if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  else return __builtin_bswap64(value);
}

// Loads and stores need no alignment.
template <class T, std::endian kOrder>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return kOrder == std::endian::native ? value : byteswap(value);
}

template <class T, std::endian kOrder>
void store(std::byte* to, T value) {
  if constexpr (kOrder != std::endian::native) value = byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

inline std::uint16_t load_be16(const std::byte* from) { return load<std::uint16_t, std::endian::big>(from); }
inline std::uint32_t load_be32(const std::byte* from) { return load<std::uint32_t, std::endian::big>(from); }
inline void store_be16(std::byte* to, std::uint16_t value) { store<std::uint16_t, std::endian::big>(to, value); }
inline void store_be32(std::byte* to, std::uint32_t value) { store<std::uint32_t, std::endian::big>(to, value); }

// The bytes of a text or of a plain array, for callers that hold one.
template <class Container>
Bytes as_bytes(const Container& container) {
  return std::as_bytes(std::span(container));
}

}  // namespace vif
