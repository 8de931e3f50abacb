// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/metadata.hpp"

#include <gtest/gtest.h>

#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/some_metadata.hpp"

namespace vif::test {
namespace {

using namespace fwu;

void fix_crc(std::vector<std::byte>& bytes) { store_le32(bytes.data(), crc32(Bytes(bytes).subspan(4))); }

TEST(FwuMetadata, reads_back_what_it_writes_in_both_versions_and_every_geometry) {
  for (const std::uint32_t version : {1u, 2u}) {
    for (std::uint32_t banks = 1; banks <= 4; ++banks) {
      for (std::uint32_t images = 1; images <= 9; ++images) {
        Metadata metadata = some_metadata(version, banks, images);
        metadata.images.back().banks.back().accept(false);
        const std::vector<std::byte> bytes = metadata.store();
        EXPECT_EQ(bytes.size(), metadata.size_bytes());
        const Result<Metadata> read = Metadata::parse(bytes, Geometry{banks, images});
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_EQ(*read, metadata);
      }
    }
  }
}

TEST(FwuMetadata, sizes_are_those_of_the_specification) {
  EXPECT_EQ(some_metadata(1, 2, 2).store().size(), 176u);
  EXPECT_EQ(some_metadata(1, 2, 1).store().size(), 96u);
  EXPECT_EQ(some_metadata(1, 4, 2).store().size(), 272u);
  EXPECT_EQ(some_metadata(2, 2, 2).store().size(), 200u);
}

TEST(FwuMetadata, finds_the_geometry_of_version_1_by_its_crc) {
  for (std::uint32_t banks = 1; banks <= 4; ++banks) {
    for (std::uint32_t images = 1; images <= 9; ++images) {
      std::vector<std::byte> partition = some_metadata(1, banks, images).store();
      partition.resize(4096, std::byte{0xaa});
      const Result<Metadata> read = Metadata::parse(partition);
      ASSERT_TRUE(read) << banks << " banks, " << images << " images: " << read.error().text;
      EXPECT_EQ(*read, some_metadata(1, banks, images));
    }
  }
}

TEST(FwuMetadata, keeps_vendor_data_and_reserved_fields) {
  Metadata metadata = some_metadata(2);
  metadata.vendor.assign(33, std::byte{0x5a});
  metadata.reserved_head = 0x1234, metadata.reserved_tail = 0x56789abc, metadata.reserved_descriptor = 0xde;
  metadata.images[1].banks[0].reserved = 0xfeedface;
  metadata.images[1].banks[1].accepted = 0xfffffffe;
  const Result<Metadata> read = Metadata::parse(metadata.store());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(*read, metadata);
  EXPECT_EQ(read->store(), metadata.store());
}

TEST(FwuMetadata, tells_guids_in_the_order_of_their_text_and_keeps_it) {
  Metadata metadata = some_metadata(2);
  metadata.guid_order = GuidOrder::rfc4122_big_endian;
  const std::vector<std::byte> bytes = metadata.store();
  EXPECT_EQ(load_guid(&bytes[40]), swapped(image_type(0)));
  const Result<Metadata> read = Metadata::parse(bytes);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(*read, metadata);
  EXPECT_EQ(read->store(), bytes);
}

TEST(FwuMetadata, refuses_every_cut_and_every_changed_byte) {
  for (const std::uint32_t version : {1u, 2u}) {
    const std::vector<std::byte> bytes = some_metadata(version).store();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(Metadata::parse(Bytes(bytes).first(length), Geometry{2, 2})) << length << " bytes";
      EXPECT_FALSE(Metadata::parse(Bytes(bytes).first(length))) << length << " bytes";
    }
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::vector<std::byte> changed = bytes;
      changed[at] ^= std::byte{0x10};
      EXPECT_FALSE(Metadata::parse(changed, Geometry{2, 2})) << "byte " << at;
    }
  }
}

// Every field that counts or measures, with the values that break careless readers and a CRC that is right.
TEST(FwuMetadata, refuses_lengths_that_are_not_possible) {
  const std::vector<std::byte> good = some_metadata(2).store();
  for (const std::uint32_t size : {0u, 1u, 3u, 4u, 39u, 199u, 201u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
    std::vector<std::byte> bytes = good;
    store_le32(&bytes[16], size);
    fix_crc(bytes);
    EXPECT_FALSE(Metadata::parse(bytes)) << "metadata_size " << size;
  }
  struct Field {
    std::size_t at;
    std::uint16_t right;
  };
  for (const Field field : {Field{20, 32}, Field{36, 80}, Field{38, 24}}) {
    for (const int value : {0, 1, field.right - 1, field.right + 1, 0x7fff, 0xffff}) {
      std::vector<std::byte> bytes = good;
      store_le16(&bytes[field.at], static_cast<std::uint16_t>(value));
      fix_crc(bytes);
      EXPECT_FALSE(Metadata::parse(bytes)) << "u16 " << value << " at byte " << field.at;
    }
  }
  for (const int images : {0, 3, 0x7fff, 0xffff}) {
    std::vector<std::byte> bytes = good;
    store_le16(&bytes[34], static_cast<std::uint16_t>(images));
    fix_crc(bytes);
    EXPECT_FALSE(Metadata::parse(bytes)) << images << " images";
  }
  for (const int banks : {0, 1, 3, 5, 255}) {
    std::vector<std::byte> bytes = good;
    bytes[32] = static_cast<std::byte>(banks);
    fix_crc(bytes);
    EXPECT_FALSE(Metadata::parse(bytes)) << banks << " banks";
  }
}

TEST(FwuMetadata, refuses_indices_out_of_range_and_types_that_stand_twice) {
  for (const std::uint32_t version : {1u, 2u}) {
    Metadata active = some_metadata(version), previous = active, twice = active;
    active.active_index = 2;
    previous.previous_active_index = 0xffffffff;
    twice.images[1].image_type = twice.images[0].image_type;
    for (const Metadata& metadata : {active, previous, twice}) {
      const Result<Metadata> read = Metadata::parse(metadata.store(), Geometry{2, 2});
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().number(), EBADMSG);
    }
  }
}

TEST(FwuMetadata, says_of_a_later_version_that_it_is_one) {
  std::vector<std::byte> bytes = some_metadata(2).store();
  store_le32(&bytes[4], 3);
  fix_crc(bytes);
  const Result<Metadata> read = Metadata::parse(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().number(), ENOTSUP);
  EXPECT_EQ(read.error().text, "the FWU metadata is of version 3, 1 and 2 are known");
}

TEST(FwuMetadata, can_be_read_despite_its_crc_but_not_despite_its_lengths) {
  std::vector<std::byte> bytes = some_metadata(2).store();
  bytes[0] ^= std::byte{1};
  EXPECT_FALSE(Metadata::parse(bytes));
  const Result<Metadata> read = Metadata::parse_despite_crc(bytes, {});
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(*read, some_metadata(2));
  store_le32(&bytes[16], 0x60);
  EXPECT_FALSE(Metadata::parse_despite_crc(bytes, {}));
  EXPECT_FALSE(Metadata::parse_despite_crc(some_metadata(1).store(), {})) << "only the CRC tells a geometry";
}

TEST(FwuGuid, has_one_text_and_two_orders) {
  const auto fmp = parse_guid("6DCBD5ED-e82d-4c44-bda1-7194199ad92a");
  ASSERT_TRUE(fmp);
  EXPECT_EQ(*fmp, kFmpCapsule);
  EXPECT_EQ(fmp->on_disk[0], 0xed);
  EXPECT_EQ(to_string(kFmpCapsule), "6dcbd5ed-e82d-4c44-bda1-7194199ad92a");
  EXPECT_EQ(to_string(swapped(kFmpCapsule)), "edd5cb6d-2de8-444c-bda1-7194199ad92a");
  for (const char* text :
       {"", "6dcbd5ed", "6dcbd5ed-e82d-4c44-bda1-7194199ad92", "6dcbd5ed-e82d-4c44-bda1-7194199ad92ag",
        "6dcbd5ede82d-4c44--bda1-7194199ad92a", "6dcbd5eg-e82d-4c44-bda1-7194199ad92a"}) {
    EXPECT_FALSE(parse_guid(text)) << text;
  }
}

}  // namespace
}  // namespace vif::test
