// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/capsule_writer.hpp"

#include "services/fwu/capsule_format.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {

using namespace format;

namespace {

constexpr std::size_t kItemsMax = 64;

std::vector<std::byte> capsule_header(const Guid& guid, std::uint32_t header_size, std::uint32_t flags,
                                      std::uint64_t body_bytes) {
  std::vector<std::byte> header(header_size);
  store_guid(&header[0], guid);
  store_le32(&header[kCapsuleHeaderSizeAt], header_size);
  store_le32(&header[kCapsuleFlagsAt], flags);
  store_le32(&header[kCapsuleImageSizeAt], static_cast<std::uint32_t>(header_size + body_bytes));
  return header;
}

// What stands behind the signature: dependency, payload header, image.
std::vector<std::byte> signed_rest(const ItemToWrite& item) {
  std::vector<std::byte> rest = item.dependency;
  if (item.payload) {
    std::vector<std::byte> header(kPayloadHeaderBytes);
    store_le32(&header[0], kPayloadSignature);
    store_le32(&header[kPayloadSizeAt], kPayloadHeaderBytes);
    store_le32(&header[kPayloadVersionAt], item.payload->fw_version);
    store_le32(&header[kPayloadLowestAt], item.payload->lowest_supported_version);
    append(rest, header);
  }
  append(rest, item.image);
  return rest;
}

std::vector<std::byte> authentication(const ItemToWrite::Signature& signature) {
  std::vector<std::byte> bytes(kCertDataAt);
  store_le64(&bytes[0], signature.monotonic_count);
  store_le32(&bytes[kCertLengthAt], static_cast<std::uint32_t>(kCertDataAt - kCertLengthAt + signature.pkcs7.size()));
  store_le16(&bytes[kCertRevisionAt], kCertRevision);
  store_le16(&bytes[kCertKindAt], kCertKindGuid);
  store_guid(&bytes[kCertTypeAt], kPkcs7Certificate);
  append(bytes, signature.pkcs7);
  return bytes;
}

std::vector<std::byte> item_bytes(const ItemToWrite& item) {
  std::vector<std::byte> image;
  if (item.signature) image = authentication(*item.signature);
  append(image, signed_rest(item));
  std::vector<std::byte> bytes(kItemBytes[2]);
  store_le32(&bytes[0], 3);
  store_guid(&bytes[kItemTypeAt], item.image_type);
  bytes[kItemIndexAt] = std::byte{item.image_index};
  store_le32(&bytes[kItemImageSizeAt], static_cast<std::uint32_t>(image.size()));
  store_le64(&bytes[kItemInstanceAt], item.hardware_instance);
  store_le64(&bytes[kItemSupportAt],
             (item.signature ? kSupportsAuthentication : 0) | (item.dependency.empty() ? 0 : kSupportsDependency));
  append(bytes, image);
  return bytes;
}

}  // namespace

Result<std::vector<std::byte>> write_firmware_capsule(std::span<const ItemToWrite> items, std::uint32_t flags,
                                                      std::uint32_t header_size) {
  if (items.empty() || items.size() > kItemsMax) {
    return fail(std::errc::invalid_argument, "1 to 64 images were expected, not " + std::to_string(items.size()));
  }
  std::vector<std::byte> body(kFmpHeaderBytes + kFmpOffsetBytes * items.size());
  store_le32(&body[0], kFmpVersion);
  store_le16(&body[kFmpItemsAt], static_cast<std::uint16_t>(items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) {
    store_le64(&body[kFmpHeaderBytes + kFmpOffsetBytes * i], body.size());
    append(body, item_bytes(items[i]));
    if (body.size() > UINT32_MAX - header_size) {
      return fail(std::errc::invalid_argument, "a capsule has less than 4 GiB: its sizes have 32 bits");
    }
  }
  std::vector<std::byte> capsule = capsule_header(kFmpCapsule, header_size, flags, body.size());
  append(capsule, body);
  return capsule;
}

std::vector<std::byte> write_accept_capsule(const Guid& image_type) {
  std::vector<std::byte> capsule = capsule_header(kAcceptCapsule, CapsuleHeader::kBytes, 0, Guid::kBytes);
  capsule.resize(capsule.size() + Guid::kBytes);
  store_guid(&capsule[CapsuleHeader::kBytes], image_type);
  return capsule;
}

std::vector<std::byte> write_revert_capsule() { return capsule_header(kRevertCapsule, CapsuleHeader::kBytes, 0, 0); }

std::vector<std::byte> signed_bytes(const ItemToWrite& item, std::uint64_t monotonic_count) {
  std::vector<std::byte> bytes = signed_rest(item);
  bytes.resize(bytes.size() + sizeof monotonic_count);
  store_le64(&bytes[bytes.size() - sizeof monotonic_count], monotonic_count);
  return bytes;
}

}  // namespace vif::fwu
