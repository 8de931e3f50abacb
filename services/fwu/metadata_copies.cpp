// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/metadata_copies.hpp"

#include <algorithm>
#include <cerrno>

namespace vif::fwu {
namespace {

constexpr std::size_t kSectorBytes = 512;

const char* name_of(MetadataCopies::Place place) {
  return place == MetadataCopies::Place::primary ? "primary" : "secondary";
}

}  // namespace

Result<MetadataCopies> MetadataCopies::find(const Device& device) {
  std::vector<Partition> found;
  for (const Partition& partition : device.partitions) {
    if (partition.type == kMetadataPartition) found.push_back(partition);
  }
  if (found.size() < 2) {
    return fail(std::errc::no_such_file_or_directory, "two partitions of type " + to_string(kMetadataPartition) +
                                                          " (FWU metadata) were expected, " +
                                                          std::to_string(found.size()) + " are there");
  }
  if (found.size() > 2) {
    return fail(std::errc::invalid_argument,
                "two partitions of FWU metadata were expected, " + std::to_string(found.size()) +
                    " are there: give the ones that are not used another type (sgdisk -t)");
  }
  std::sort(found.begin(), found.end(), [](const Partition& a, const Partition& b) { return a.number < b.number; });
  return MetadataCopies(device, found[0], found[1]);
}

Result<std::vector<std::byte>> MetadataCopies::read_bytes(Place place) const {
  const Partition& from = partition(place);
  std::vector<std::byte> bytes(std::min<std::uint64_t>(from.size_bytes, kMetadataBytesMax));
  if (Status read = store_.read(from.offset_bytes, bytes); !read) return read.error();
  return bytes;
}

Result<Metadata> MetadataCopies::read(Place place) const {
  Result<std::vector<std::byte>> bytes = read_bytes(place);
  if (!bytes) return std::move(bytes).error();
  return Metadata::parse(*bytes, geometry_);
}

Result<Metadata> MetadataCopies::load() const {
  Result<Metadata> primary = read(Place::primary);
  if (primary) return primary;
  Result<Metadata> secondary = read(Place::secondary);
  if (secondary) return secondary;
  return fail(std::errc::bad_message, "both copies of the FWU metadata are bad; nothing was written. Primary: " +
                                          primary.error().text + ". Secondary: " + secondary.error().text);
}

Result<Metadata> MetadataCopies::load_and_repair(std::string& repaired) {
  const Result<Metadata> primary = read(Place::primary), secondary = read(Place::secondary);
  Result<Metadata> metadata = load();
  if (!metadata || (primary && secondary && *primary == *secondary)) return metadata;
  const Place bad = primary ? Place::secondary : Place::primary;
  const Result<Metadata>& other = primary ? secondary : primary;
  repaired = std::string("restored the ") + name_of(bad) + " copy of the FWU metadata: " +
             (other ? "it differed from the primary one, which counts" : other.error().text);
  if (Status written = write(bad, *metadata); !written) return written.error();
  return metadata;
}

// Whole sectors, zero behind the metadata: what was there before is nobody's business.
Status MetadataCopies::write(Place place, const Metadata& metadata) {
  std::vector<std::byte> bytes = metadata.store();
  bytes.resize((bytes.size() + kSectorBytes - 1) / kSectorBytes * kSectorBytes);
  const Partition& to = partition(place);
  if (bytes.size() > to.size_bytes) {
    return fail(std::errc::result_out_of_range, std::string("the ") + name_of(place) + " metadata partition has " +
                                                    std::to_string(to.size_bytes) + " bytes, " +
                                                    std::to_string(bytes.size()) + " are needed");
  }
  if (Status written = store_.write(to.offset_bytes, bytes); !written) return written;
  return store_.flush();
}

Status MetadataCopies::write_both(const Metadata& metadata) {
  if (Status written = write(Place::secondary, metadata); !written) return written;
  return write(Place::primary, metadata);
}

Status MetadataCopies::replace(const Metadata& before, const Metadata& after) {
  const bool primary_is_good = bool(read(Place::primary));
  const Result<Metadata> now = load();
  if (!now) return now.error();
  if (!(*now == before)) {
    return fail(ESTALE,
                "the FWU metadata changed under us: somebody else writes to this medium. Look at it, try again");
  }
  // The secondary copy, which is written first, may be the only good one: no write of it may leave none.
  if (!primary_is_good) {
    if (Status repaired = write(Place::primary, before); !repaired) return repaired;
  }
  return write_both(after);
}

Status MetadataCopies::force(Place place, std::optional<Geometry> geometry) {
  Result<std::vector<std::byte>> bytes = read_bytes(place);
  if (!bytes) return std::move(bytes).error();
  Result<Metadata> metadata = Metadata::parse_despite_crc(*bytes, geometry);
  if (!metadata) return std::move(metadata).error();
  return write_both(*metadata);
}

}  // namespace vif::fwu
