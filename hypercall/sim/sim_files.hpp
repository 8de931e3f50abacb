// SPDX-License-Identifier: BSD-2-Clause
// Files of the simulated host: in memory, with faults a test scripts. What a test sets on a SimFile holds from the next
// call on, also for streams that are open. One thread.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/stream.hpp"

namespace vif::host::sim {

struct SimFile {
  static constexpr std::size_t kNever = SIZE_MAX;

  std::vector<std::byte> bytes;

  int open_errno = 0;                   // why it can be neither opened nor created; 0: it can
  std::size_t read_bytes_max = kNever;  // one read gives at most this
  std::size_t read_fails_at = kNever;   // offset: what lies before can be read, then reading fails with read_errno
  int read_errno = EIO;
  std::size_t capacity_bytes = kNever;  // an append that would make it larger fails with append_errno
  int append_errno = ENOSPC;
  std::function<void(SimFile&)> on_read;  // happens to it before each read: it grows, it is cut
};

class VIF_API SimFiles final : public FilesPort {
 public:
  // The file of this name, made when there is none. Stays where it is, and outlives its streams with the SimFiles.
  SimFile& file(const std::string& path);

  // ENOENT: nobody made the file.
  Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) override;
  Result<std::unique_ptr<ByteSink>> create_sink(const std::string& path) override;
  bool same_file(const std::string& one, const std::string& other) override;

 private:
  std::map<std::string, SimFile> files_;
};

}  // namespace vif::host::sim
