// SPDX-License-Identifier: BSD-2-Clause
// Unpacks gzip on the way from one ByteSource to its reader, with zlib.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/stream.hpp"

namespace vif::host {

// The magic of RFC 1952, 2.3.1.
bool begins_as_gzip(Bytes head);

// Any number of members; as unpack_if_packed (packed_source.hpp) says. Errors: ENOMEM.
Result<std::unique_ptr<ByteSource>> open_gzip(std::unique_ptr<ByteSource> packed, const std::string& path);

}  // namespace vif::host
