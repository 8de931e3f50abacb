// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fwu/file_store.hpp"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr std::uint64_t kSectorBytes = 512;  // libblkid's unit, whatever the medium's is

Result<std::uint64_t> size_of(int fd, const struct stat& status, const std::string& path) {
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  std::uint64_t bytes = 0;
  if (::ioctl(fd, BLKGETSIZE64, &bytes) != 0) return host_error(path);
  return bytes;
}

fwu::Guid guid_of(const char* text) {
  const auto guid = text ? fwu::parse_guid(text) : std::nullopt;
  return guid.value_or(fwu::Guid{});
}

}  // namespace

Result<std::unique_ptr<FileStore>> FileStore::open(const std::string& path, Access access) {
  const bool writes = access == Access::write;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return host_error(path);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return fail(std::errc::invalid_argument, path + ": a file or a block device was expected");
  }
  // O_EXCL keeps a block device from being mounted, and refuses one that is.
  const int exclusive = writes && S_ISBLK(status.st_mode) ? O_EXCL : 0;
  UniqueFd fd(::open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | exclusive));
  if (!fd) return host_error(path);
  if (writes && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return host_error(path);
    return fail(EBUSY, path + ": somebody else is writing to it; try again when they are done");
  }
  const Result<std::uint64_t> size = size_of(fd.get(), status, path);
  if (!size) return size.error();
  return std::unique_ptr<FileStore>(new FileStore(path, std::move(fd), *size));
}

Status FileStore::read(std::uint64_t offset, MutBytes into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return host_error(path_);
    if (got == 0) return fail(std::errc::io_error, path_ + " ends at byte " + std::to_string(offset));
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Status FileStore::write(std::uint64_t offset, Bytes bytes) {
  if (offset > size_bytes_ || bytes.size() > size_bytes_ - offset) {
    return fail(std::errc::no_space_on_device, path_ + " ends at byte " + std::to_string(size_bytes_));
  }
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return host_error(path_);
    if (put == 0) return fail(std::errc::io_error, path_ + " takes no more at byte " + std::to_string(offset));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status FileStore::flush() {
  if (::fdatasync(fd_.get()) != 0) return host_error(path_);
  (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

Result<std::vector<fwu::Partition>> FileStore::partitions() const {
  const std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)> probe(blkid_new_probe(), blkid_free_probe);
  if (!probe || blkid_probe_set_device(probe.get(), fd_.get(), 0, 0) != 0) return host_error(path_);
  blkid_probe_enable_partitions(probe.get(), 1);
  const blkid_partlist list = blkid_probe_get_partitions(probe.get());
  const blkid_parttable table = list ? blkid_partlist_get_table(list) : nullptr;
  if (!table || std::string_view(blkid_parttable_get_type(table)) != "gpt") {
    return fail(std::errc::invalid_argument, path_ + ": a GPT was expected (sgdisk -v says what is wrong with one)");
  }
  std::vector<fwu::Partition> partitions;
  for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
    const blkid_partition partition = blkid_partlist_get_partition(list, i);
    const std::uint64_t start = static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * kSectorBytes;
    const std::uint64_t size = static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * kSectorBytes;
    partitions.push_back({static_cast<std::uint32_t>(blkid_partition_get_partno(partition)),
                          guid_of(blkid_partition_get_type_string(partition)),
                          guid_of(blkid_partition_get_uuid(partition)), start, size});
  }
  return partitions;
}

}  // namespace vif::host
