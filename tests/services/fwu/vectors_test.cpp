// SPDX-License-Identifier: BSD-2-Clause
// Metadata and capsules that mkfwumdata, mkeficapsule and GenerateCapsule wrote, against what an independent reader
// found in them; and our writers against the same bytes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "hypercall/digest.hpp"
#include "services/fwu/capsule.hpp"
#include "services/fwu/capsule_writer.hpp"
#include "services/fwu/dependency.hpp"
#include "services/fwu/metadata.hpp"
#include "tests/services/fwu/shared_vectors.hpp"

namespace vif::test {
namespace {

using namespace fwu;
using Json = nlohmann::json;

class FwuVectors : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(shared_fwu_vectors(VIF_SOURCE_ROOT) / "expected.json");
    if (!file)
      GTEST_SKIP() << "no vectors at " << shared_fwu_vectors(VIF_SOURCE_ROOT)
                   << ": set VIRTIF_SHARED to the folder they are in";
    expected = Json::parse(file);
  }

  Json expected;
};

Json image_json(const ImageEntry& entry) {
  Json banks = Json::array();
  for (const BankImage& bank : entry.banks)
    banks.push_back({{"image", to_string(bank.image)}, {"accepted", bank.accepted}});
  return {{"image_type", to_string(entry.image_type)}, {"location", to_string(entry.location)}, {"bank", banks}};
}

Json metadata_json(const Metadata& metadata) {
  Json images = Json::array();
  for (const ImageEntry& entry : metadata.images) images.push_back(image_json(entry));
  const bool mixed = metadata.guid_order == GuidOrder::efi_mixed_endian;
  return {{"version", metadata.version},
          {"active_index", metadata.active_index},
          {"previous_active_index", metadata.previous_active_index},
          {"banks", metadata.banks},
          {"images_per_bank", metadata.images.size()},
          {"size", metadata.size_bytes()},
          {"bank_state", metadata.version == 1 ? Json() : Json(metadata.bank_state_bytes)},
          {"guid_byte_order", mixed ? "efi-mixed-endian" : "rfc4122-big-endian"},
          {"vendor_data_len", metadata.vendor.size()},
          {"images", images}};
}

TEST_F(FwuVectors, metadata_is_read_as_expected_and_written_byte_for_byte) {
  ASSERT_GE(expected["mdata"].size(), 11u);
  for (auto& [name, truth] : expected["mdata"].items()) {
    SCOPED_TRACE(name);
    const std::vector<std::byte> bytes = file_bytes(shared_fwu_vectors(VIF_SOURCE_ROOT) / "mdata" / name);
    const Result<Metadata> metadata = Metadata::parse(bytes);
    ASSERT_TRUE(metadata) << metadata.error().text;
    for (const char* key : {"crc32", "sha256", "made_with"}) truth.erase(key);
    EXPECT_EQ(metadata_json(*metadata), truth);
    EXPECT_EQ(metadata->store(), bytes);
  }
}

Json payload_json(const std::vector<std::byte>& bytes, const FmpItem& item) {
  host::Sha256 digest;
  digest.update(Bytes(bytes).subspan(item.image_offset, item.image_bytes));
  Json count, version, lowest;
  if (item.authentication) count = item.authentication->monotonic_count;
  if (item.payload) version = item.payload->fw_version, lowest = item.payload->lowest_supported_version;
  return {{"version", item.version},
          {"type", to_string(item.image_type)},
          {"index", item.image_index},
          {"instance", item.hardware_instance},
          {"authenticated", item.authentication.has_value()},
          {"monotonic_count", count},
          {"fw_version", version},
          {"lowest_supported_version", lowest},
          {"dependency", item.dependency.empty() ? Json() : Json(dependency_text(item.dependency))},
          {"payload_len", item.image_bytes},
          {"payload_sha256", digest.hex()}};
}

Json capsule_json(const std::vector<std::byte>& bytes, const Capsule& capsule) {
  Json json = {{"capsule_guid", to_string(capsule.header.guid)},
               {"header_size", capsule.header.header_size},
               {"flags", capsule.header.flags},
               {"image_size", capsule.header.image_size}};
  if (capsule.kind == CapsuleKind::accept) json["accept_image_type"] = to_string(capsule.accept_image_type);
  if (capsule.kind != CapsuleKind::firmware) return json;
  json["fmp_version"] = capsule.fmp_version;
  json["drivers"] = capsule.drivers;
  json["items"] = Json::array();
  for (const FmpItem& item : capsule.items) json["items"].push_back(payload_json(bytes, item));
  return json;
}

TEST_F(FwuVectors, capsules_are_read_as_expected) {
  ASSERT_GE(expected["capsules"].size(), 20u);
  for (auto& [name, truth] : expected["capsules"].items()) {
    SCOPED_TRACE(name);
    const std::vector<std::byte> bytes = file_bytes(shared_fwu_vectors(VIF_SOURCE_ROOT) / "capsules" / name);
    MemoryRange range(bytes);
    const Result<Capsule> capsule = Capsule::read(range);
    ASSERT_TRUE(capsule) << capsule.error().text;
    for (const char* key : {"tool", "sha256", "signed_by"}) truth.erase(key);
    Json ours = capsule_json(bytes, *capsule);
    for (std::size_t i = 0; i < ours.value("items", Json::array()).size(); ++i) {
      Json& item = truth["items"][i];
      item.erase("_depex_hex");
      if (!item.contains("dependency")) item["dependency"] = nullptr;
    }
    EXPECT_EQ(ours, truth);
  }
}

std::vector<std::byte> written_again(const std::vector<std::byte>& bytes, const Capsule& capsule) {
  if (capsule.kind == CapsuleKind::revert) return write_revert_capsule();
  if (capsule.kind == CapsuleKind::accept) return write_accept_capsule(capsule.accept_image_type);
  std::vector<ItemToWrite> items;
  for (const FmpItem& item : capsule.items) {
    items.push_back({.image_type = item.image_type,
                     .image_index = item.image_index,
                     .hardware_instance = item.hardware_instance,
                     .payload = item.payload,
                     .dependency = item.dependency,
                     .image = Bytes(bytes).subspan(item.image_offset, item.image_bytes),
                     .signature = {}});
    if (item.authentication) {
      items.back().signature = {item.authentication->monotonic_count, item.authentication->pkcs7};
    }
  }
  Result<std::vector<std::byte>> written =
      write_firmware_capsule(items, capsule.header.flags, capsule.header.header_size);
  return written ? *written : std::vector<std::byte>();
}

TEST_F(FwuVectors, capsules_are_written_byte_for_byte) {
  for (const auto& [name, truth] : expected["capsules"].items()) {
    if (truth.value("drivers", 0) != 0) continue;  // we write no drivers
    SCOPED_TRACE(name);
    const std::vector<std::byte> bytes = file_bytes(shared_fwu_vectors(VIF_SOURCE_ROOT) / "capsules" / name);
    MemoryRange range(bytes);
    const Result<Capsule> capsule = Capsule::read(range);
    ASSERT_TRUE(capsule) << capsule.error().text;
    EXPECT_EQ(written_again(bytes, *capsule), bytes);
  }
}

}  // namespace
}  // namespace vif::test
