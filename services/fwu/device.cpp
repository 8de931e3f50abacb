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

}  // namespace vif::fwu
