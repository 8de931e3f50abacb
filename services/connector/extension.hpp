// SPDX-License-Identifier: BSD-2-Clause
// What a record may carry behind the kernel's bytes, for who asked: type, length and value, one after the other. An old
// reader takes its 40 bytes (or, of a request, its 4, 8 or 12) and skips the rest; a new one skips types it does not
// know. Host byte order; each value is padded to 4 bytes. Values; any thread.
#pragma once

#include <optional>

#include "services/connector/proc_event.hpp"

namespace vif::cn {

struct Extension {
  std::optional<std::uint64_t> sequence = {};  // type 1: the record's number on its bus
  std::optional<std::uint32_t> user_code =
      {};  // type 2, exit: what the thread registered, all 32 bits (exit_codes.hpp)
  std::optional<std::array<char, kCommBytes>> comm = {};  // type 3: the name of the one it is about

  bool operator==(const Extension&) const = default;
};

// What a listener asks for behind its mask.
struct Wishes {
  std::optional<std::int32_t> tgid = {};  // type 16: of this process only
  std::optional<std::int32_t> tree = {};  // type 17: of this process and of those it will have forked only
  bool extended = false;                  // type 18, no value: records with an Extension

  bool operator==(const Wishes&) const = default;
};

inline constexpr std::size_t kExtensionBytesMax = 4 + 8 + 4 + 4 + 4 + kCommBytes;
inline constexpr std::size_t kWishesBytesMax = 8 + 8 + 4;

// Everything up to the first piece that is cut off or whose length is not its type's.
VIF_API Extension read_extension(Bytes from);
VIF_API Wishes read_wishes(Bytes from);
// To the front of `to`, which has room for the most it can be. Returns how much was written.
VIF_API std::size_t write_extension(const Extension& extension, std::byte* to);
VIF_API std::size_t write_wishes(const Wishes& wishes, std::byte* to);

}  // namespace vif::cn
