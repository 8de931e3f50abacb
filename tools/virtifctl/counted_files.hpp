// SPDX-License-Identifier: BSD-2-Clause
// Files that say how much of them has been read. One thread at a time; it outlives its streams.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "netstack/base/stream.hpp"

namespace vif::tools {

class CountedFiles final : public FilesPort {
 public:
  explicit CountedFiles(FilesPort& files) : files_(files) {}

  Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) override;
  Result<std::unique_ptr<ByteSink>> create_sink(const std::string& path) override { return files_.create_sink(path); }
  bool same_file(const std::string& one, const std::string& other) override { return files_.same_file(one, other); }

  // Of all sources that are open, together; 0 to 1. None: the end of one is not known: a pipe's, or that of what is
  // unpacked.
  std::optional<double> share_read() const;

 private:
  struct Count {
    std::uint64_t read_bytes = 0, file_bytes = 0;  // the latter 0: not known
  };
  class Counted;

  FilesPort& files_;
  std::list<Count> counts_;  // of the sources that are open
};

}  // namespace vif::tools
