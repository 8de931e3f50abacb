// SPDX-License-Identifier: BSD-2-Clause
// Unpacks gzip on the way from one ByteSource to its reader, with zlib.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/stream.hpp"

namespace vif::host {

// `source` as it is, or unpacked when it begins with gzip's magic (RFC 1952, 2.3.1); any number of members. A stream
// that ends early or is damaged gives what came before, then EBADMSG. `path` is for messages.
Result<std::unique_ptr<ByteSource>> unpack_if_gzip(std::unique_ptr<ByteSource> source, const std::string& path);

}  // namespace vif::host
