// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_json.hpp"

#include <fmt/core.h>

#include "hypercall/digest.hpp"
#include "services/fwu/dependency.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::tools {

using Json = nlohmann::json;

namespace {

constexpr std::uint64_t kSectorBytes = 512, kPieceBytes = 1024 * 1024;

Json image_json(const fwu::ImageEntry& entry) {
  Json banks = Json::array();
  for (const fwu::BankImage& image : entry.banks) {
    banks.push_back({{"image", fwu::to_string(image.image)}, {"accepted", image.accepted}});
  }
  return {
      {"image_type", fwu::to_string(entry.image_type)}, {"location", fwu::to_string(entry.location)}, {"bank", banks}};
}

Json item_json(const fwu::FmpItem& item, const std::string& sha256) {
  Json json = {{"version", item.version},
               {"type", fwu::to_string(item.image_type)},
               {"index", item.image_index},
               {"instance", item.hardware_instance},
               {"authenticated", item.authentication.has_value()},
               {"monotonic_count", nullptr},
               {"fw_version", nullptr},
               {"lowest_supported_version", nullptr},
               {"dependency", nullptr},
               {"payload_len", item.image_bytes},
               {"payload_sha256", sha256}};
  if (item.authentication) json["monotonic_count"] = item.authentication->monotonic_count;
  if (!item.dependency.empty()) json["dependency"] = fwu::dependency_text(item.dependency);
  if (!item.payload) return json;
  json["fw_version"] = item.payload->fw_version;
  json["lowest_supported_version"] = item.payload->lowest_supported_version;
  return json;
}

// "mdata", "esp", "image 0 bank 1", or "other".
std::string role_of(const fwu::Partition& partition, const fwu::Metadata& metadata) {
  if (partition.type == fwu::kMetadataPartition) return "mdata";
  if (partition.type == fwu::kSystemPartition) return "esp";
  for (std::size_t image = 0; image < metadata.images.size(); ++image) {
    for (std::size_t bank = 0; bank < metadata.images[image].banks.size(); ++bank) {
      if (metadata.images[image].banks[bank].image == partition.unique)
        return fmt::format("image {} bank {}", image, bank);
    }
  }
  return "other";
}

}  // namespace

Result<std::string> fwu_sha256(fwu::ByteRange& file, std::uint64_t offset, std::uint64_t bytes) {
  host::Sha256 digest;
  std::vector<std::byte> piece(kPieceBytes);
  while (bytes > 0) {
    const MutBytes part = MutBytes(piece).first(std::min(bytes, kPieceBytes));
    if (Status read = file.read(offset, part); !read) return read.error();
    digest.update(part);
    offset += part.size(), bytes -= part.size();
  }
  return digest.hex();
}

Json fwu_metadata_json(const fwu::Metadata& metadata) {
  Json images = Json::array();
  for (const fwu::ImageEntry& entry : metadata.images) images.push_back(image_json(entry));
  const bool mixed = metadata.guid_order == fwu::GuidOrder::efi_mixed_endian;
  return {{"version", metadata.version},
          {"active_index", metadata.active_index},
          {"previous_active_index", metadata.previous_active_index},
          {"banks", metadata.banks},
          {"images_per_bank", metadata.images.size()},
          {"size", metadata.size_bytes()},
          {"crc32", fmt::format("0x{:08x}", fwu::load_le32(metadata.store().data()))},
          {"bank_state", metadata.version == 1 ? Json() : Json(metadata.bank_state_bytes)},
          {"guid_byte_order", mixed ? "efi-mixed-endian" : "rfc4122-big-endian"},
          {"vendor_data_len", metadata.vendor.size()},
          {"images", images}};
}

Result<Json> fwu_capsule_json(const fwu::Capsule& capsule, fwu::ByteRange& file) {
  Json json = {{"capsule_guid", fwu::to_string(capsule.header.guid)},
               {"header_size", capsule.header.header_size},
               {"flags", capsule.header.flags},
               {"image_size", capsule.header.image_size}};
  if (capsule.kind == fwu::CapsuleKind::accept) json["accept_image_type"] = fwu::to_string(capsule.accept_image_type);
  if (capsule.kind != fwu::CapsuleKind::firmware) return json;
  json["fmp_version"] = capsule.fmp_version;
  json["drivers"] = capsule.drivers;
  json["items"] = Json::array();
  for (const fwu::FmpItem& item : capsule.items) {
    const Result<std::string> sha256 = fwu_sha256(file, item.image_offset, item.image_bytes);
    if (!sha256) return sha256.error();
    json["items"].push_back(item_json(item, *sha256));
  }
  return json;
}

Result<Json> fwu_partitions_json(const fwu::Device& device, const fwu::Metadata& metadata) {
  Json partitions = Json::array();
  for (const fwu::Partition& partition : device.partitions) {
    const std::string role = role_of(partition, metadata);
    Json json = {{"number", partition.number},
                 {"first_lba", partition.offset_bytes / kSectorBytes},
                 {"last_lba", (partition.offset_bytes + partition.size_bytes) / kSectorBytes - 1},
                 {"role", role},
                 {"content_sha256", nullptr}};
    if (role.starts_with("image")) {
      const Result<std::string> sha256 = fwu_sha256(device.store, partition.offset_bytes, partition.size_bytes);
      if (!sha256) return sha256.error();
      json["content_sha256"] = *sha256;
    }
    partitions.push_back(json);
  }
  return partitions;
}

}  // namespace vif::tools
