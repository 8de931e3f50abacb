// SPDX-License-Identifier: BSD-2-Clause
// Unpacks zstd on the way from one ByteSource to its reader, with libzstd.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/stream.hpp"

namespace vif::host {

// The magic of a frame, or of one to be skipped (RFC 8878, 3.1.1 and 3.1.2).
bool begins_as_zstd(Bytes head);

// Any number of frames; as unpack_if_packed (packed_source.hpp) says, but of a damaged frame that fits the reader's
// buffer nothing comes: libzstd decodes it at once. What was packed with more than kZstdWindowBytes to look back on is
// EFBIG, so that a file cannot ask for any memory it likes. Errors: ENOMEM.
inline constexpr int kZstdWindowLog = 25;
inline constexpr std::size_t kZstdWindowBytes = std::size_t{1} << kZstdWindowLog;  // 32 MiB
Result<std::unique_ptr<ByteSource>> open_zstd(std::unique_ptr<ByteSource> packed, const std::string& path);

}  // namespace vif::host
