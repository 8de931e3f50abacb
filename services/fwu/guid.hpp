// SPDX-License-Identifier: BSD-2-Clause
// GUIDs as firmware stores them, and the ones its documents fix. Plain values, any thread.
//
// On disk a GUID is "mixed-endian" (UEFI 2.10, appendix A): the first three fields little-endian, the other eight bytes
// as written. mkfwumdata without -g writes all of it in the order of the text (RFC 4122): `swapped` turns one into the
// other.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::fwu {

struct Guid {
  static constexpr std::size_t kBytes = 16;
  std::array<std::uint8_t, kBytes> on_disk{};  // mixed-endian

  auto operator<=>(const Guid&) const = default;
  constexpr bool is_nil() const { return *this == Guid{}; }
};

enum class GuidOrder : std::uint8_t { efi_mixed_endian, rfc4122_big_endian };

// "6dcbd5ed-e82d-4c44-bda1-7194199ad92a", either case; nothing for any other text.
VIF_API std::optional<Guid> parse_guid(std::string_view text);
VIF_API std::string to_string(const Guid& guid);

VIF_API Guid load_guid(const std::byte* from);
VIF_API void store_guid(std::byte* to, const Guid& guid);

// The same GUID with its first three fields in the other byte order.
VIF_API Guid swapped(const Guid& guid);
// Whether the version field is one RFC 4122 knows (1 to 5, or 6 to 8 of RFC 9562) and the variant fits: GUIDs that
// tools make are, and when their order is mistaken most are not.
VIF_API bool looks_right(const Guid& guid);

// A constant: stops the compiler where the text is not a GUID.
consteval Guid guid(std::string_view text) {
  constexpr std::array<std::uint8_t, Guid::kBytes> kPlace = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto digit = [](char c) -> std::uint8_t {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    throw "a lower-case hexadecimal digit was expected";
  };
  Guid made;
  std::size_t at = 0;
  for (std::size_t i = 0; i < Guid::kBytes; ++i) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    made.on_disk[kPlace[i]] = static_cast<std::uint8_t>(digit(text.at(at)) << 4 | digit(text.at(at + 1)));
    at += 2;
  }
  return made;
}

// Arm DEN0118 (FWU) and UEFI 2.10, sections 8.5.3 and 23.
inline constexpr Guid kMetadataPartition = guid("8a7a84a0-8387-40f6-ab41-a8b9a5a60d23");
inline constexpr Guid kSystemPartition = guid("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
inline constexpr Guid kFmpCapsule = guid("6dcbd5ed-e82d-4c44-bda1-7194199ad92a");
inline constexpr Guid kAcceptCapsule = guid("0c996046-bcc0-4d04-85ec-e1fcedf1c6f8");
inline constexpr Guid kRevertCapsule = guid("acd58b4b-c0e8-475f-99b5-6b3f7e07aaf0");
inline constexpr Guid kPkcs7Certificate = guid("4aafd29d-68df-49ee-8aa9-347d375665a7");
inline constexpr Guid kCapsuleReport = guid("39b68c46-f7fb-441b-b6ec-16b0f69821f3");
inline constexpr Guid kGlobalVariable = guid("8be4df61-93ca-11d2-aa0d-00e098032b8c");

}  // namespace vif::fwu
