// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/capsule.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "services/fwu/capsule_format.hpp"
#include "services/fwu/item_reader.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {

using namespace format;

namespace {

constexpr std::size_t kItemsMax = 64;  // ours: each costs its signature's memory

Error malformed(const std::string& what) { return fail(std::errc::invalid_argument, "the capsule " + what); }

Status check_header(const CapsuleHeader& header, std::uint64_t file_bytes) {
  if (header.header_size < CapsuleHeader::kBytes || header.header_size > header.image_size) {
    return malformed("says its header has " + std::to_string(header.header_size) + " of its " +
                     std::to_string(header.image_size) + " bytes, 28 is the least");
  }
  if (header.image_size > file_bytes) {
    return malformed("says it has " + std::to_string(header.image_size) + " bytes, the file has " +
                     std::to_string(file_bytes) + ": it was cut short, fetch it again");
  }
  if ((header.flags & (kPopulateSystemTable | kInitiateReset)) && !(header.flags & kPersistAcrossReset)) {
    return malformed("has flags that need CAPSULE_FLAGS_PERSIST_ACROSS_RESET (0x10000), without it");
  }
  return {};
}

// The type of an empty capsule decides what it may look like: nothing but these exact sizes.
Status check_empty(const CapsuleHeader& header, std::uint32_t image_size, const char* kind) {
  if (header.header_size == CapsuleHeader::kBytes && header.image_size == image_size) return {};
  return malformed("is an " + std::string(kind) + " one of " + std::to_string(header.header_size) + " + " +
                   std::to_string(header.image_size - header.header_size) + " bytes, 28 + " +
                   std::to_string(image_size - CapsuleHeader::kBytes) + " is what one has");
}

// Offsets of the items behind the drivers, from the front of the capsule, with where each must end at the latest.
struct Slot {
  std::uint64_t offset = 0, limit = 0;
};

Result<std::vector<Slot>> read_slots(ByteRange& file, Capsule& capsule) {
  const std::uint64_t body = capsule.header.header_size, end = capsule.header.image_size;
  std::array<std::byte, kFmpHeaderBytes> head{};
  if (end - body < head.size()) return malformed("ends before its FMP header, at byte " + std::to_string(end));
  if (Status read = file.read(body, head); !read) return read.error();
  capsule.fmp_version = load_le32(&head[0]);
  capsule.drivers = load_le16(&head[kFmpDriversAt]);
  const std::size_t items = load_le16(&head[kFmpItemsAt]);
  if (capsule.fmp_version != kFmpVersion) {
    return fail(std::errc::not_supported,
                "the FMP header is of version " + std::to_string(capsule.fmp_version) + ", 1 is known");
  }
  if (items > kItemsMax || capsule.drivers > kItemsMax) {
    return fail(std::errc::not_supported, "the capsule has " + std::to_string(capsule.drivers) + " drivers and " +
                                              std::to_string(items) + " images, 64 of each are the most");
  }
  std::vector<std::byte> list((capsule.drivers + items) * kFmpOffsetBytes);
  const std::uint64_t list_end = kFmpHeaderBytes + list.size();
  if (end - body < list_end) return malformed("ends within its list of offsets, at byte " + std::to_string(end));
  if (Status read = file.read(body + kFmpHeaderBytes, list); !read) return read.error();

  std::vector<std::uint64_t> offsets;
  for (std::size_t i = 0; i < list.size(); i += kFmpOffsetBytes) offsets.push_back(load_le64(&list[i]));
  std::vector<std::uint64_t> sorted = offsets;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return malformed("has two items at one offset");
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] < list_end || offsets[i] >= end - body) {
      return malformed("has an item at offset " + std::to_string(offsets[i]) + " of its FMP header, " +
                       std::to_string(list_end) + " to " + std::to_string(end - body) + " can be");
    }
    if (i < capsule.drivers) continue;
    const auto next = std::upper_bound(sorted.begin(), sorted.end(), offsets[i]);
    slots.push_back({body + offsets[i], next == sorted.end() ? end : body + *next});
  }
  return slots;
}

Result<Capsule> read_firmware(ByteRange& file, Capsule capsule) {
  Result<std::vector<Slot>> slots = read_slots(file, capsule);
  if (!slots) return std::move(slots).error();
  for (const Slot& slot : *slots) {
    Result<FmpItem> item = read_item(file, slot.offset, slot.limit);
    if (!item) return std::move(item).error();
    capsule.items.push_back(*std::move(item));
  }
  return capsule;
}

}  // namespace

Result<CapsuleHeader> read_capsule_header(ByteRange& file) {
  std::array<std::byte, CapsuleHeader::kBytes> bytes{};
  if (file.size_bytes() < bytes.size()) {
    return malformed("has " + std::to_string(file.size_bytes()) + " bytes, its header alone has 28");
  }
  if (Status read = file.read(0, bytes); !read) return read.error();
  return CapsuleHeader{load_guid(&bytes[0]), load_le32(&bytes[kCapsuleHeaderSizeAt]),
                       load_le32(&bytes[kCapsuleFlagsAt]), load_le32(&bytes[kCapsuleImageSizeAt])};
}

Result<Capsule> Capsule::read(ByteRange& file) {
  Result<CapsuleHeader> header = read_capsule_header(file);
  if (!header) return std::move(header).error();
  if (Status checked = check_header(*header, file.size_bytes()); !checked) return checked.error();
  Capsule capsule;
  capsule.header = *header;
  if (header->guid == kFmpCapsule) return read_firmware(file, std::move(capsule));
  if (header->guid == kRevertCapsule) {
    capsule.kind = CapsuleKind::revert;
    if (Status checked = check_empty(*header, CapsuleHeader::kBytes, "empty (revert)"); !checked)
      return checked.error();
    return capsule;
  }
  if (header->guid != kAcceptCapsule) {
    return fail(std::errc::not_supported,
                "a firmware, accept or revert capsule was expected, its GUID is " + to_string(header->guid));
  }
  capsule.kind = CapsuleKind::accept;
  std::array<std::byte, Guid::kBytes> type{};
  if (Status checked = check_empty(*header, CapsuleHeader::kBytes + Guid::kBytes, "accept"); !checked) {
    return checked.error();
  }
  if (Status read = file.read(CapsuleHeader::kBytes, type); !read) return read.error();
  capsule.accept_image_type = load_guid(type.data());
  return capsule;
}

}  // namespace vif::fwu
