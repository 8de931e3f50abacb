// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/capsule.hpp"

#include <gtest/gtest.h>

#include "services/fwu/capsule_writer.hpp"
#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/some_metadata.hpp"

namespace vif::test {
namespace {

using namespace fwu;
using Buffer = std::vector<std::byte>;

const Buffer kImage(500, std::byte{0x42});

ItemToWrite plain_item() {
  ItemToWrite item;
  item.image_type = image_type(0);
  item.image = kImage;
  return item;
}

// Everything at once: signature, dependency, payload header.
ItemToWrite full_item() {
  ItemToWrite item = plain_item();
  item.image_index = 2;
  item.hardware_instance = 7;
  item.payload = {9, 5};
  item.dependency = {std::byte{0x06}, std::byte{0x0d}};
  item.signature = ItemToWrite::Signature{3, Buffer(100, std::byte{0x30})};
  return item;
}

Buffer capsule_of(const ItemToWrite& item, std::uint32_t header_size = 28) {
  return *write_firmware_capsule({&item, 1}, kPersistAcrossReset, header_size);
}

Result<Capsule> read(Bytes bytes) {
  MemoryRange range(bytes);
  return Capsule::read(range);
}

int number_of(Bytes bytes) {
  const Result<Capsule> capsule = read(bytes);
  return capsule ? 0 : capsule.error().number();
}

TEST(FwuCapsule, payload_of_a_plain_one_starts_at_byte_92) {
  const Result<Capsule> capsule = read(capsule_of(plain_item()));
  ASSERT_TRUE(capsule) << capsule.error().text;
  ASSERT_EQ(capsule->items.size(), 1u);
  EXPECT_EQ(capsule->items[0].image_offset, 92u);
  EXPECT_EQ(capsule->items[0].image_bytes, kImage.size());
  EXPECT_FALSE(capsule->items[0].payload);
  EXPECT_FALSE(capsule->items[0].authentication);
}

TEST(FwuCapsule, body_starts_where_the_header_says) {
  const Result<Capsule> capsule = read(capsule_of(plain_item(), 32));
  ASSERT_TRUE(capsule) << capsule.error().text;
  EXPECT_EQ(capsule->items[0].image_offset, 96u);
}

TEST(FwuCapsule, reads_all_that_stands_before_an_image) {
  const Buffer bytes = capsule_of(full_item());
  const Result<Capsule> capsule = read(bytes);
  ASSERT_TRUE(capsule) << capsule.error().text;
  const FmpItem& item = capsule->items.at(0);
  EXPECT_EQ(item.image_index, 2);
  EXPECT_EQ(item.hardware_instance, 7u);
  ASSERT_TRUE(item.authentication);
  EXPECT_EQ(item.authentication->monotonic_count, 3u);
  EXPECT_EQ(item.authentication->pkcs7, Buffer(100, std::byte{0x30}));
  EXPECT_EQ(item.authentication->signed_offset, 92u + 32 + 100);
  EXPECT_EQ(item.dependency.size(), 2u);
  ASSERT_TRUE(item.payload);
  EXPECT_EQ(item.payload->fw_version, 9u);
  EXPECT_EQ(item.payload->lowest_supported_version, 5u);
  EXPECT_EQ(item.image_offset, 92u + 32 + 100 + 2 + 16);
  EXPECT_EQ(item.image_bytes, kImage.size());
}

TEST(FwuCapsule, a_file_may_be_longer_but_not_shorter) {
  for (const Buffer& good : {capsule_of(full_item()), write_accept_capsule(image_type(0)), write_revert_capsule()}) {
    Buffer longer = good;
    longer.resize(good.size() + 100);
    EXPECT_EQ(number_of(longer), 0);
    for (std::size_t length = 0; length < good.size(); ++length) {
      EXPECT_NE(number_of(Bytes(good).first(length)), 0) << length << " of " << good.size() << " bytes";
    }
  }
}

TEST(FwuCapsule, empty_ones_have_exact_sizes) {
  EXPECT_EQ(write_accept_capsule(image_type(1)).size(), 44u);
  EXPECT_EQ(write_revert_capsule().size(), 28u);
  const Result<Capsule> accept = read(write_accept_capsule(image_type(1)));
  ASSERT_TRUE(accept) << accept.error().text;
  EXPECT_EQ(accept->kind, CapsuleKind::accept);
  EXPECT_EQ(accept->accept_image_type, image_type(1));
  for (const std::uint32_t size : {0u, 27u, 28u, 43u, 45u, 0xffffffffu}) {
    Buffer bytes = write_accept_capsule(image_type(1));
    store_le32(&bytes[24], size);
    EXPECT_EQ(number_of(bytes), EINVAL) << "image_size " << size;
  }
  Buffer longer_header = write_revert_capsule();
  longer_header.resize(32);
  store_le32(&longer_header[16], 32), store_le32(&longer_header[24], 32);
  EXPECT_EQ(number_of(longer_header), EINVAL);
}

// A u32 at each of these, with each value that breaks careless arithmetic.
TEST(FwuCapsule, refuses_lengths_and_offsets_that_lead_out_of_it) {
  const Buffer good = capsule_of(full_item());
  struct Field {
    std::size_t at;
    const char* name;
    std::uint32_t right;
  };
  const Field fields[] = {
      {16, "header_size", 28}, {24, "image_size", static_cast<std::uint32_t>(good.size())},
      {36, "item offset", 16}, {68, "item image size", static_cast<std::uint32_t>(good.size() - 92)},
      {100, "dwLength", 124},  {230, "payload header size", 16}};
  for (const Field& field : fields) {
    ASSERT_EQ(load_le32(&good[field.at]), field.right) << field.name;
    for (const std::uint32_t value : {0u, 1u, 7u, 15u, field.right + 0x8000, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
      Buffer bytes = good;
      store_le32(&bytes[field.at], value);
      EXPECT_NE(number_of(bytes), 0) << field.name << " " << value;
    }
  }
  Buffer no_signature = good;
  store_le32(&no_signature[100], 24);
  EXPECT_EQ(number_of(no_signature), EKEYREJECTED) << "a certificate without data";
  Buffer vendor = good;
  store_le32(&vendor[72], 1);
  EXPECT_EQ(number_of(vendor), EINVAL) << "vendor code beyond the end";
  Buffer wraps = good;
  store_le64(&wraps[36], UINT64_MAX - 8);
  EXPECT_EQ(number_of(wraps), EINVAL) << "an offset that wraps when the header's length is added";
}

TEST(FwuCapsule, refuses_items_that_overlap) {
  const ItemToWrite items[] = {plain_item(), full_item()};
  const Buffer good = *write_firmware_capsule(items, 0);
  ASSERT_EQ(number_of(good), 0);
  const std::uint64_t first = load_le64(&good[36]), second = load_le64(&good[44]);
  Buffer same = good, inside = good, longer = good;
  store_le64(&same[44], first);
  store_le64(&inside[44], first + 60);
  store_le32(&longer[28 + first + 24], static_cast<std::uint32_t>(second - first - 48 + 1));
  EXPECT_EQ(number_of(same), EINVAL);
  EXPECT_EQ(number_of(inside), EINVAL);
  EXPECT_EQ(number_of(longer), EINVAL);
}

TEST(FwuCapsule, refuses_an_authentication_header_of_another_kind) {
  const Buffer good = capsule_of(full_item());
  for (const std::size_t at : {104u, 106u, 108u, 123u}) {  // revision, kind, first and last byte of the type
    Buffer bytes = good;
    bytes[at] ^= std::byte{1};
    EXPECT_EQ(number_of(bytes), EKEYREJECTED) << "byte " << at;
  }
}

TEST(FwuCapsule, knows_its_kinds_and_versions_only) {
  Buffer guid = capsule_of(plain_item()), fmp = guid, item = guid;
  guid[0] ^= std::byte{1};
  store_le32(&fmp[28], 2);
  store_le32(&item[44], 4);
  EXPECT_EQ(number_of(guid), ENOTSUP);
  EXPECT_EQ(number_of(fmp), ENOTSUP);
  EXPECT_EQ(number_of(item), ENOTSUP);
}

TEST(FwuCapsule, reads_the_shorter_item_headers_of_versions_1_and_2) {
  for (const std::uint32_t version : {1u, 2u}) {
    Buffer bytes = capsule_of(plain_item());
    const std::size_t cut = version == 1 ? 16 : 8;
    bytes.erase(bytes.begin() + 76 + (version == 1 ? 0 : 8), bytes.begin() + 92);
    store_le32(&bytes[44], version);
    store_le32(&bytes[24], static_cast<std::uint32_t>(bytes.size()));
    const Result<Capsule> capsule = read(bytes);
    ASSERT_TRUE(capsule) << capsule.error().text;
    EXPECT_EQ(capsule->items[0].image_offset, 92u - cut);
    EXPECT_EQ(capsule->items[0].image_bytes, kImage.size());
  }
}

TEST(FwuCapsule, refuses_flags_that_need_persistence_without_it) {
  const ItemToWrite item = plain_item();
  for (const std::uint32_t flag : {kPopulateSystemTable, kInitiateReset}) {
    EXPECT_EQ(number_of(*write_firmware_capsule({&item, 1}, flag)), EINVAL);
    EXPECT_EQ(number_of(*write_firmware_capsule({&item, 1}, flag | kPersistAcrossReset)), 0);
  }
}

TEST(FwuCapsule, what_a_signature_covers_ends_with_the_count) {
  const Buffer covered = signed_bytes(full_item(), 3);
  ASSERT_EQ(covered.size(), 2 + 16 + kImage.size() + 8);
  EXPECT_EQ(load_le64(&covered[covered.size() - 8]), 3u);
  EXPECT_EQ(load_le32(&covered[2]), 0x3153534du);
}

}  // namespace
}  // namespace vif::test
