// SPDX-License-Identifier: BSD-2-Clause
// The medium of an update on Linux: a disk image in a file, or a block device; and capsules in files. Whoever has a
// medium open for writing has it alone. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hypercall/unique_fd.hpp"
#include "services/fwu/device.hpp"

namespace vif::host {

enum class Access : std::uint8_t { read, write };

class VIF_API FileStore final : public fwu::StorePort {
 public:
  // Errors: the host's errno (ENOENT, EACCES, EROFS ...); EBUSY somebody else has it open for writing, or has it
  // mounted.
  static Result<std::unique_ptr<FileStore>> open(const std::string& path, Access access);

  std::uint64_t size_bytes() const override { return size_bytes_; }
  Status read(std::uint64_t offset, MutBytes into) override;
  Status write(std::uint64_t offset, Bytes bytes) override;

  // fdatasync; and what is read after it comes from the medium, not from memory, where the kernel agrees.
  Status flush() override;

  // Of its GPT, by libblkid, which checks the CRCs and knows the backup. EINVAL: it has none.
  Result<std::vector<fwu::Partition>> partitions() const;

 private:
  FileStore(std::string path, UniqueFd fd, std::uint64_t size_bytes)
      : path_(std::move(path)), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  std::string path_;
  UniqueFd fd_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace vif::host
