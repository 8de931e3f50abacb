// SPDX-License-Identifier: BSD-2-Clause
// The dependency expression of a firmware image (UEFI 2.10, section 23.2 "dependency expression instruction set"): what
// other firmware must be there, in postfix. One interpreter for all: it checks, prints and evaluates. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "services/fwu/guid.hpp"

namespace vif::fwu {

inline constexpr std::size_t kDependencyBytesMax = 4096;  // ours

// The version of the firmware with this image type; nothing: it is not there.
using VersionOf = std::function<std::optional<std::uint32_t>(const Guid&)>;

// How many bytes at the front of `bytes` are an expression, its end (0x0d) included. Errors: EINVAL it does not end,
// has an unknown instruction, or leaves other than one truth.
VIF_API Result<std::size_t> dependency_bytes(Bytes bytes);

// As EDK2's GenerateCapsule takes it: "9F1F1BCC-5063-4E78-9D18-04AB198A7075 >= 0x5". `expression` has been accepted by
// dependency_bytes.
VIF_API std::string dependency_text(Bytes expression);

// Whether it holds. A comparison with firmware that is not there is false. `expression` as above.
VIF_API bool dependency_holds(Bytes expression, const VersionOf& version_of);

}  // namespace vif::fwu
