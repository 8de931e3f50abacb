// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/bank_layout.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

namespace vif::fwu {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

bool overlap(const Partition& a, const Partition& b) {
  if (a.size_bytes == 0 || b.size_bytes == 0) return false;
  const bool a_is_first = a.offset_bytes <= b.offset_bytes;
  const Partition &first = a_is_first ? a : b, &second = a_is_first ? b : a;
  return second.offset_bytes - first.offset_bytes < first.size_bytes;
}

// Those of the banks that are there.
std::vector<Partition> partitions_of_banks(const Metadata& metadata, std::span<const Partition> partitions) {
  std::vector<Partition> found;
  for (const Partition& partition : partitions) {
    const bool is_one = std::any_of(metadata.images.begin(), metadata.images.end(), [&](const ImageEntry& entry) {
      return std::any_of(entry.banks.begin(), entry.banks.end(),
                         [&](const BankImage& bank) { return bank.image == partition.unique; });
    });
    if (is_one) found.push_back(partition);
  }
  return found;
}

}  // namespace

Status check_images_distinct(const Metadata& metadata) {
  std::map<Guid, std::string> seen;
  for (std::size_t position = 0; position < metadata.images.size(); ++position) {
    const ImageEntry& entry = metadata.images[position];
    for (std::size_t bank = 0; bank < entry.banks.size(); ++bank) {
      const std::string name = "image " + number(position) + " of bank " + number(bank);
      const auto [same, is_new] = seen.emplace(entry.banks[bank].image, name);
      if (is_new) continue;
      return fail(std::errc::invalid_argument, "the FWU metadata gives " + same->second + " and " + name +
                                                   " one partition, " + to_string(same->first) +
                                                   ": each needs its own");
    }
  }
  return {};
}

Status check_layout(const Metadata& metadata, std::span<const Partition> partitions) {
  if (Status distinct = check_images_distinct(metadata); !distinct) return distinct;
  for (const Partition& image : partitions_of_banks(metadata, partitions)) {
    if (image.type == kMetadataPartition) {
      return fail(std::errc::invalid_argument,
                  "partition " + number(image.number) + " holds the FWU metadata, which names it as an image's");
    }
    for (const Partition& other : partitions) {
      if (other.number == image.number || !overlap(image, other)) continue;
      return fail(std::errc::invalid_argument, "partition " + number(image.number) +
                                                   ", an image's, lies on partition " + number(other.number) +
                                                   ": writing one would overwrite the other");
    }
  }
  return {};
}

Result<Partition> target_partition(const Metadata& metadata, std::span<const Partition> partitions,
                                   std::size_t position, std::uint32_t bank) {
  const ImageEntry& entry = metadata.images[position];
  const Result<Partition> target = find_partition(partitions, entry.banks[bank].image);
  if (!target || target->type == entry.image_type) return target;
  return fail(std::errc::invalid_argument, "partition " + number(target->number) + " has the type " +
                                               to_string(target->type) + ", " + to_string(entry.image_type) +
                                               " was expected");
}

}  // namespace vif::fwu
