// SPDX-License-Identifier: BSD-2-Clause
// A file as pure code sees it: bytes in order. hypercall/ opens real ones (gzip and zstd unpacked on the way),
// hypercall/sim/ scripted ones that fail where a test says. One thread at a time; closing is destruction.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills the front of `into` (not empty) and returns how much: 0 is the end, a short count is not. Errors: the host's
  // errno; EAGAIN, of a source that was told not to wait: there is nothing yet, and later there may be.
  virtual Result<std::size_t> read(MutBytes into) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // Appends all of `bytes`, or nothing: after an error (the host's errno, e.g. ENOSPC) the stream ends where it ended
  // before the call, so a writer that appends whole records always leaves a valid file.
  virtual Status append(Bytes bytes) = 0;
};

// Where streams come from. Any thread.
class FilesPort {
 public:
  virtual ~FilesPort() = default;
  // Errors: the host's errno (ENOENT, EACCES, EISDIR ...); the text names the path.
  virtual Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) = 0;
  // A new or emptied file. Errors as above; EROFS and ENOSPC come here or on the first append.
  virtual Result<std::unique_ptr<ByteSink>> create_sink(const std::string& path) = 0;
  // Whether both lead to the same file, so that creating the one empties the other. False when one is not there.
  virtual bool same_file(const std::string& one, const std::string& other) = 0;
};

}  // namespace vif
