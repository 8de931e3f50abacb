// SPDX-License-Identifier: BSD-2-Clause
// Metadata, from the value to the bytes.
#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/metadata.hpp"
#include "services/fwu/metadata_format.hpp"

namespace vif::fwu {

using namespace format;

namespace {

void store_entry(std::byte* at, const ImageEntry& entry, GuidOrder order) {
  const auto in_order = [order](const Guid& guid) {
    return order == GuidOrder::efi_mixed_endian ? guid : swapped(guid);
  };
  store_guid(at, in_order(entry.image_type));
  store_guid(at + kLocationAt, in_order(entry.location));
  std::byte* image = at + kEntryHeadBytes;
  for (const BankImage& bank : entry.banks) {
    store_guid(image, in_order(bank.image));
    store_le32(image + kAcceptedAt, bank.accepted);
    store_le32(image + kReservedAt, bank.reserved);
    image += kBankEntryBytes;
  }
}

}  // namespace

std::string_view name_of(BankState state) {
  switch (state) {
    case BankState::valid:
      return "valid";
    case BankState::accepted:
      return "accepted";
    case BankState::invalid:
      break;
  }
  return "invalid";
}

std::size_t Metadata::size_bytes() const {
  const std::size_t head = version == 1 ? kHeadV1Bytes : kHeadV2Bytes;
  return head + images.size() * entry_bytes(banks) + (version == 1 ? 0 : vendor.size());
}

std::vector<std::byte> Metadata::store() const {
  std::vector<std::byte> bytes(size_bytes());
  store_le32(&bytes[kVersionAt], version);
  store_le32(&bytes[kActiveAt], active_index);
  store_le32(&bytes[kPreviousAt], previous_active_index);
  std::size_t at = kHeadV1Bytes;
  if (version != 1) {
    store_le32(&bytes[kSizeAt], static_cast<std::uint32_t>(bytes.size()));
    store_le16(&bytes[kDescOffsetAt], kDescriptorAt);
    store_le16(&bytes[kReservedHeadAt], reserved_head);
    for (std::uint32_t bank = 0; bank < kBanksMax; ++bank) {
      bytes[kBankStateAt + bank] = std::byte{bank_state_bytes[bank]};
    }
    store_le32(&bytes[kReservedTailAt], reserved_tail);
    bytes[kNumBanksAt] = static_cast<std::byte>(banks);
    bytes[kReservedDescriptorAt] = std::byte{reserved_descriptor};
    store_le16(&bytes[kNumImagesAt], static_cast<std::uint16_t>(images.size()));
    store_le16(&bytes[kEntrySizeAt], static_cast<std::uint16_t>(entry_bytes(banks)));
    store_le16(&bytes[kBankEntrySizeAt], kBankEntryBytes);
    at = kHeadV2Bytes;
  }
  for (const ImageEntry& entry : images) {
    store_entry(&bytes[at], entry, guid_order);
    at += entry_bytes(banks);
  }
  if (version != 1 && !vendor.empty()) std::memcpy(&bytes[at], vendor.data(), vendor.size());
  store_le32(&bytes[kCrcAt], crc32(Bytes(bytes).subspan(kCrcBytes)));
  return bytes;
}

}  // namespace vif::fwu
