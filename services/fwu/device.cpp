// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/device.hpp"

#include <algorithm>

namespace vif::fwu {

Result<Partition> find_partition(std::span<const Partition> partitions, const Guid& unique) {
  const auto is_it = [&](const Partition& partition) { return partition.unique == unique; };
  const auto found = std::find_if(partitions.begin(), partitions.end(), is_it);
  if (found == partitions.end()) {
    return fail(std::errc::no_such_device,
                "no partition has the unique GUID " + to_string(unique) + ", which the FWU metadata names");
  }
  if (std::find_if(found + 1, partitions.end(), is_it) != partitions.end()) {
    return fail(std::errc::invalid_argument,
                "two partitions have the unique GUID " + to_string(unique) + ": give one of them another (sgdisk -u)");
  }
  return *found;
}

Result<DigestBytes> digest_of_bytes(DigestPort& digests, ByteRange& from, std::uint64_t offset, std::uint64_t count) {
  constexpr std::uint64_t kPieceBytes = 1024 * 1024;
  std::vector<std::byte> bytes(std::min(count, kPieceBytes));
  const std::unique_ptr<Digest> digest = digests.sha256();
  for (std::uint64_t done = 0; done < count;) {
    const MutBytes piece = MutBytes(bytes).first(std::min(count - done, kPieceBytes));
    if (Status read = from.read(offset + done, piece); !read) return read.error();
    digest->update(piece);
    done += piece.size();
  }
  return digest->finish();
}

}  // namespace vif::fwu
