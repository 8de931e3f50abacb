// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/metadata.hpp"

#include <algorithm>
#include <string>

#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/metadata_format.hpp"

namespace vif::fwu {

using namespace format;

namespace {

enum class Crc : std::uint8_t { must_match, ignored };

Error damaged(const std::string& what) { return fail(std::errc::bad_message, "the FWU metadata is damaged: " + what); }

bool crc_matches(Bytes copy) { return load_le32(&copy[kCrcAt]) == crc32(copy.subspan(kCrcBytes)); }

ImageEntry load_entry(const std::byte* at, std::uint32_t banks) {
  ImageEntry entry{load_guid(at), load_guid(at + kLocationAt), {}};
  for (std::uint32_t bank = 0; bank < banks; ++bank) {
    const std::byte* image = at + kEntryHeadBytes + kBankEntryBytes * bank;
    entry.banks.push_back({load_guid(image), load_le32(image + kAcceptedAt), load_le32(image + kReservedAt)});
  }
  return entry;
}

template <class Visit>
void each_guid(Metadata& metadata, Visit&& visit) {
  for (ImageEntry& entry : metadata.images) {
    visit(entry.image_type);
    visit(entry.location);
    for (BankImage& image : entry.banks) visit(image.image);
  }
}

// GUIDs in the order of their text are recognised by their version and variant fields, which then fit all of them; and
// turned.
void settle_guid_order(Metadata& metadata) {
  bool right_as_is = true, right_swapped = true;
  each_guid(metadata, [&](Guid& guid) {
    if (guid.is_nil()) return;
    right_as_is &= looks_right(guid);
    right_swapped &= looks_right(swapped(guid));
  });
  if (right_as_is || !right_swapped) return;
  metadata.guid_order = GuidOrder::rfc4122_big_endian;
  each_guid(metadata, [](Guid& guid) { guid = swapped(guid); });
}

std::optional<Error> indices_problem(const Metadata& metadata) {
  for (const std::uint32_t index : {metadata.active_index, metadata.previous_active_index}) {
    if (index >= metadata.banks) {
      return damaged("bank " + std::to_string(index) + " is named, it has " + std::to_string(metadata.banks));
    }
  }
  return std::nullopt;
}

Metadata load_v1(Bytes bytes, Geometry geometry) {
  Metadata metadata;
  metadata.version = 1;
  metadata.active_index = load_le32(&bytes[kActiveAt]);
  metadata.previous_active_index = load_le32(&bytes[kPreviousAt]);
  metadata.banks = geometry.banks;
  for (std::uint32_t i = 0; i < geometry.images; ++i) {
    metadata.images.push_back(load_entry(&bytes[kHeadV1Bytes + i * entry_bytes(geometry.banks)], geometry.banks));
  }
  return metadata;
}

// Copies of one length have one CRC whatever their geometry: the fields tell which it is.
bool plausible(const Metadata& metadata) {
  if (indices_problem(metadata)) return false;
  return std::all_of(metadata.images.begin(), metadata.images.end(), [](const ImageEntry& entry) {
    return !entry.image_type.is_nil() &&
           std::all_of(entry.banks.begin(), entry.banks.end(),
                       [](const BankImage& image) { return image.accepted <= 1 && image.reserved == 0; });
  });
}

std::optional<Metadata> guess_v1(Bytes bytes) {
  for (const std::uint32_t banks : {2u, 1u, 3u, 4u}) {
    const std::size_t step = entry_bytes(banks);
    std::uint32_t crc = crc32(bytes.subspan(kCrcBytes, kHeadV1Bytes - kCrcBytes));
    for (std::uint32_t images = 1; kHeadV1Bytes + images * step <= bytes.size(); ++images) {
      crc = crc32(bytes.subspan(kHeadV1Bytes + (images - 1) * step, step), crc);
      if (crc != load_le32(&bytes[kCrcAt])) continue;
      Metadata metadata = load_v1(bytes, {banks, images});
      if (plausible(metadata)) return metadata;
    }
  }
  return std::nullopt;
}

Result<Metadata> parse_v1(Bytes bytes, std::optional<Geometry> geometry, Crc crc) {
  if (!geometry && crc == Crc::ignored) {
    return fail(std::errc::invalid_argument,
                "version 1 does not store how many banks and images there are: say it, the CRC cannot tell");
  }
  if (!geometry) {
    std::optional<Metadata> guessed = guess_v1(bytes);
    if (!guessed) return damaged("its CRC fits no number of banks (1 to 4) and images");
    return *std::move(guessed);
  }
  if (geometry->banks < 1 || geometry->banks > kBanksMax || geometry->images < 1) {
    return fail(std::errc::invalid_argument, "1 to 4 banks of 1 or more images were expected, not " +
                                                 std::to_string(geometry->banks) + " of " +
                                                 std::to_string(geometry->images));
  }
  const std::size_t room = bytes.size() - kHeadV1Bytes;
  if (geometry->images > room / entry_bytes(geometry->banks)) {
    return damaged(std::to_string(geometry->images) + " images do not fit into " + std::to_string(bytes.size()) +
                   " bytes");
  }
  const Bytes copy = bytes.first(kHeadV1Bytes + geometry->images * entry_bytes(geometry->banks));
  if (crc == Crc::must_match && !crc_matches(copy)) return damaged("its CRC does not match");
  return load_v1(copy, *geometry);
}

// Nothing but the size is used before the CRC has been checked, and the size is bounded by what is there.
Result<Metadata> parse_v2(Bytes bytes, Crc crc) {
  if (bytes.size() < kHeadV2Bytes)
    return damaged("40 bytes were expected, " + std::to_string(bytes.size()) + " are there");
  const std::uint32_t size = load_le32(&bytes[kSizeAt]);
  if (size < kHeadV2Bytes || size > bytes.size()) {
    return damaged("it says it has " + std::to_string(size) + " bytes, 40 to " + std::to_string(bytes.size()) +
                   " can be");
  }
  const Bytes copy = bytes.first(size);
  if (crc == Crc::must_match && !crc_matches(copy)) return damaged("its CRC does not match");
  const std::uint16_t descriptor = load_le16(&copy[kDescOffsetAt]);
  if (descriptor != kDescriptorAt) {
    return fail(std::errc::not_supported,
                "the FWU metadata has its descriptors at byte " + std::to_string(descriptor) + ", 32 is known");
  }
  Metadata metadata;
  metadata.banks = std::to_integer<std::uint8_t>(copy[kNumBanksAt]);
  const std::uint16_t images = load_le16(&copy[kNumImagesAt]);
  if (metadata.banks < 1 || metadata.banks > kBanksMax) {
    return damaged("it says it has " + std::to_string(metadata.banks) + " banks, 1 to 4 can be");
  }
  const std::size_t step = entry_bytes(metadata.banks);
  if (load_le16(&copy[kEntrySizeAt]) != step || load_le16(&copy[kBankEntrySizeAt]) != kBankEntryBytes) {
    return damaged("an image entry of " + std::to_string(metadata.banks) + " banks has " + std::to_string(step) +
                   " bytes");
  }
  if (images > (size - kHeadV2Bytes) / step) return damaged(std::to_string(images) + " images do not fit into it");
  metadata.active_index = load_le32(&copy[kActiveAt]);
  metadata.previous_active_index = load_le32(&copy[kPreviousAt]);
  for (std::uint32_t bank = 0; bank < kBanksMax; ++bank) {
    metadata.bank_state_bytes[bank] = std::to_integer<std::uint8_t>(copy[kBankStateAt + bank]);
  }
  metadata.reserved_head = load_le16(&copy[kReservedHeadAt]);
  metadata.reserved_tail = load_le32(&copy[kReservedTailAt]);
  metadata.reserved_descriptor = std::to_integer<std::uint8_t>(copy[kReservedDescriptorAt]);
  for (std::uint16_t i = 0; i < images; ++i) {
    metadata.images.push_back(load_entry(&copy[kHeadV2Bytes + i * step], metadata.banks));
  }
  const Bytes vendor = copy.subspan(kHeadV2Bytes + images * step);
  metadata.vendor.assign(vendor.begin(), vendor.end());
  return metadata;
}

std::optional<Error> images_problem(const Metadata& metadata) {
  if (metadata.images.empty()) return damaged("it names no image");
  for (auto entry = metadata.images.begin(); entry != metadata.images.end(); ++entry) {
    const bool twice = std::any_of(metadata.images.begin(), entry,
                                   [&](const ImageEntry& other) { return other.image_type == entry->image_type; });
    if (twice) return damaged("image type " + to_string(entry->image_type) + " stands in it twice");
  }
  return std::nullopt;
}

Result<Metadata> parse_copy(Bytes bytes, std::optional<Geometry> geometry, Crc crc) {
  bytes = bytes.first(std::min(bytes.size(), kMetadataBytesMax));
  if (bytes.size() < kHeadV1Bytes)
    return damaged("16 bytes were expected, " + std::to_string(bytes.size()) + " are there");
  const std::uint32_t version = load_le32(&bytes[kVersionAt]);
  if (version != 1 && version != 2) {
    // A later version and a damaged one look alike; no version had more than a few bits.
    const std::string what = "version " + std::to_string(version) + ", 1 and 2 are known";
    if (version == 0 || version > 0xff) return damaged("it says " + what);
    return fail(std::errc::not_supported, "the FWU metadata is of " + what);
  }
  Result<Metadata> metadata = version == 1 ? parse_v1(bytes, geometry, crc) : parse_v2(bytes, crc);
  if (!metadata) return metadata;
  settle_guid_order(*metadata);
  if (auto problem = indices_problem(*metadata)) return *std::move(problem);
  if (auto problem = images_problem(*metadata)) return *std::move(problem);
  return metadata;
}

}  // namespace

Result<Metadata> Metadata::parse(Bytes bytes, std::optional<Geometry> geometry) {
  return parse_copy(bytes, geometry, Crc::must_match);
}

Result<Metadata> Metadata::parse_despite_crc(Bytes bytes, std::optional<Geometry> geometry) {
  return parse_copy(bytes, geometry, Crc::ignored);
}

}  // namespace vif::fwu
