// SPDX-License-Identifier: BSD-2-Clause
// Files that are read as what was packed into them: gzip and zstd, known by how they begin.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/stream.hpp"

namespace vif::host {

// `source` as it is, or unpacked on the way to its reader. A stream that ends early or is damaged gives what came
// before, then EBADMSG. `path` is for messages. Errors: those of reading its beginning; ENOMEM.
Result<std::unique_ptr<ByteSource>> unpack_if_packed(std::unique_ptr<ByteSource> source, const std::string& path);

}  // namespace vif::host
