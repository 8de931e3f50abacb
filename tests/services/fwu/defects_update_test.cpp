// SPDX-License-Identifier: BSD-2-Clause
// Defects of U-Boot's FWU code in reading and applying firmware capsules; the numbers are those of the list in
// docs/fwu.md.
#include <gtest/gtest.h>

#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/fwu_rig.hpp"

namespace vif::test {
namespace {

using namespace fwu;

const std::string kCalledOff = std::to_string(ECANCELED);
const std::string kRejected = std::to_string(EKEYREJECTED);

TEST(Defect03, header_sizes_below_28_are_refused_for_every_kind) {
  for (Buffer capsule : {FwuRig::capsule({}), write_accept_capsule(image_type(0)), write_revert_capsule()}) {
    for (const std::uint32_t size : {0u, 8u, 27u}) {
      store_le32(&capsule[16], size);
      MemoryRange range(capsule);
      const Result<Capsule> read = Capsule::read(range);
      ASSERT_FALSE(read) << size;
      EXPECT_EQ(read.error().number(), EINVAL);
    }
  }
}

TEST(Defect04, an_accept_capsule_without_its_type_is_refused) {
  FwuRig rig;
  rig.run({{"A", FwuRig::capsule({0, 'x', kAcceptLater})}});
  Buffer accept = write_accept_capsule(image_type(0));
  accept.resize(28);
  const Metadata before = rig.metadata();
  EXPECT_EQ(numbers(rig.run({{"A", accept}})), "22") << "it says 44 bytes";
  store_le32(&accept[24], 28);
  EXPECT_EQ(numbers(rig.run({{"A", accept}})), "22") << "it says 28 bytes";
  EXPECT_EQ(rig.metadata(), before);
}

TEST(Defect06, one_bad_capsule_stops_all_before_the_first_write) {
  FwuRig rig;
  Buffer bad = FwuRig::capsule({1});
  bad[0] ^= std::byte{1};
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0})}, {"B", bad}})), kCalledOff + " 95");
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST(Defect06, a_bank_that_is_written_is_marked_so_before_its_first_byte) {
  for (const std::uint32_t version : {1u, 2u}) {
    FwuRig rig(version);
    SimStore store(rig.medium);
    rig.run(store, {{"A", FwuRig::capsule({0, 'x'})}, {"B", FwuRig::capsule({1, 'y'})}});
    std::array<bool, 2> marked{};
    bool image_written = false;
    for (const auto& event : store.log()) {
      if (event.kind != host::sim::SimWrite::Kind::write) continue;
      if (event.offset < 2 * FwuRig::kMetadataBytes) {
        const Result<Metadata> written = Metadata::parse(event.bytes, Geometry{2, 2});
        ASSERT_TRUE(written) << written.error().text;
        if (!image_written)
          marked[event.offset / FwuRig::kMetadataBytes] = bank_state(*written, 1) == BankState::invalid;
      } else {
        image_written = true;
        EXPECT_TRUE(marked[0] && marked[1]);
      }
    }
    EXPECT_TRUE(image_written);
    EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::accepted);
  }
}

TEST(Defect10, images_are_on_trial_together) {
  FwuRig rig;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'x', kAcceptLater})}, {"B", FwuRig::capsule({1, 'y'})}})),
            "0 0");
  const Metadata metadata = rig.metadata();
  EXPECT_FALSE(metadata.images[0].banks[1].is_accepted());
  EXPECT_FALSE(metadata.images[1].banks[1].is_accepted());
  EXPECT_EQ(bank_state(metadata, 1), BankState::valid);
  EXPECT_EQ(rig.trial_counter(), 0);
}

TEST(Defect11, an_image_without_a_capsule_comes_from_the_active_bank) {
  FwuRig rig;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'x'})}})), "0");
  EXPECT_EQ(rig.bank(1), "xb") << "not the stale q that was there";
  EXPECT_EQ(rig.metadata().active_index, 1u);
}

TEST(Defect12, the_only_bank_is_not_overwritten) {
  FwuRig rig(2, 1);
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'x'})}})), std::to_string(EOPNOTSUPP));
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST(Defect13, the_bank_to_fall_back_to_is_spared) {
  for (const std::uint32_t banks : {3u, 4u}) {
    FwuRig rig(2, banks);
    Metadata metadata = some_metadata(2, banks);
    metadata.previous_active_index = 1;
    rig.put(metadata);
    rig.run({{"A", FwuRig::capsule({0, 'x'})}});
    EXPECT_EQ(rig.metadata().active_index, 2u) << "not 1, the next one: it is the previous one";
    metadata.bank_state_bytes[banks - 1] = 0xff;
    rig.put(metadata);
    rig.run({{"A", FwuRig::capsule({0, 'z'})}});
    EXPECT_EQ(rig.metadata().active_index, banks - 1) << "an invalid one first";
  }
}

TEST(Defect19, capsules_count_in_the_order_of_their_names) {
  FwuRig rig;
  rig.run({{"b", FwuRig::capsule({0, 'y', kAcceptLater})},
           {"A", FwuRig::capsule({0, 'x', kAcceptLater})},
           {"C", FwuRig::capsule({1, 'z', kAcceptLater})}});
  EXPECT_EQ(rig.bank(1), "yz");
  const Plan plan =
      rig.run({{"b", write_revert_capsule()}, {"B", write_revert_capsule()}, {"a", write_revert_capsule()}});
  EXPECT_EQ(plan.outcomes[0].name + plan.outcomes[1].name + plan.outcomes[2].name, "aBb");
}

TEST(Defect20, an_offset_that_wraps_is_refused) {
  Buffer capsule = FwuRig::capsule({});
  store_le64(&capsule[36], UINT64_MAX - 47);
  MemoryRange range(capsule);
  EXPECT_FALSE(Capsule::read(range));
}

TEST(Defect21, a_file_shorter_than_a_header_is_refused_and_recorded) {
  FwuRig rig;
  EXPECT_EQ(numbers(rig.run({{"A", Buffer(10)}, {"B", Buffer()}})), "22 22");
  EXPECT_TRUE(rig.variable(kCapsuleReport, "Capsule0001"));
}

TEST(Defect22, an_image_that_does_not_fit_is_refused_before_writing) {
  FwuRig rig;
  const SimMedium before = rig.medium;
  const Buffer large = FwuRig::capsule({.image = 0, .bytes = FwuRig::kImageBytes + 1});
  EXPECT_EQ(numbers(rig.run({{"A", large}})), std::to_string(ERANGE));
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST(Defect23, a_signed_image_cannot_be_sent_to_another_slot) {
  FwuRig rig;
  rig.trusts_keys = true, rig.policy = {};
  Buffer capsule = FwuRig::capsule({.image = 0, .with = 'x', .signed_count = 1});
  ASSERT_EQ(numbers(FwuRig(rig).run({{"A", capsule}})), "0");
  store_guid(&capsule[48], image_type(1));
  capsule[64] = std::byte{2};
  EXPECT_EQ(numbers(rig.run({{"A", capsule}})), kRejected);
}

TEST(Defect23, an_old_signature_cannot_be_played_again) {
  FwuRig rig;
  rig.trusts_keys = true, rig.policy = {};
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({.image = 0, .with = 'x', .signed_count = 7})}})), "0");
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({.image = 0, .with = 'y', .signed_count = 6})}})), kRejected);
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({.image = 0, .with = 'z', .signed_count = 7})}})), "0");
}

TEST(Defect25, every_capsule_has_a_result_and_what_is_missing_is_not_found) {
  FwuRig rig;
  rig.run({{"A", FwuRig::capsule({0, 'x', kAcceptLater})}});
  rig.run({{"A", write_accept_capsule(some_guid(9, 9))}});
  const auto result = rig.variable(kCapsuleReport, "Capsule0001");
  ASSERT_TRUE(result);
  EXPECT_EQ(load_le64(&result->bytes[40]), 0x800000000000000eu);
}

TEST(Defect26, what_was_accepted_is_the_floor) {
  FwuRig rig;
  rig.policy.allow_downgrade = true;
  const auto version = [](std::uint32_t fw, std::uint32_t lowest) {
    return FwuRig::capsule({.image = 0, .with = static_cast<char>('0' + fw), .payload = PayloadVersion{fw, lowest}});
  };
  EXPECT_EQ(numbers(rig.run({{"A", version(5, 3)}})), "0");
  EXPECT_EQ(numbers(rig.run({{"A", version(2, 0)}})), "22") << "below the floor, whatever is allowed";
  EXPECT_EQ(numbers(rig.run({{"A", version(3, 1)}})), "0");
  EXPECT_EQ(numbers(rig.run({{"A", version(2, 0)}})), "22") << "a floor is not lowered";
  EXPECT_EQ(numbers(rig.run({{"A", version(7, 1)}})), "0");
  rig.policy.allow_downgrade = false;
  EXPECT_EQ(numbers(rig.run({{"A", version(6, 1)}})), "22") << "older than what runs";
}

TEST(Defect26, a_trial_raises_the_floor_only_when_it_is_accepted) {
  FwuRig rig;
  rig.policy.allow_downgrade = true;
  const Buffer trial = FwuRig::capsule({.image = 0, .flags = kAcceptLater, .payload = PayloadVersion{5, 5}});
  const Buffer old = FwuRig::capsule({.image = 0, .with = 'o', .payload = PayloadVersion{4, 0}});
  rig.run({{"A", trial}});
  rig.run({{"A", write_revert_capsule()}});
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", old}})), "0");
  EXPECT_EQ(numbers(rig.run({{"A", trial}})), "0");
  rig.run({{"A", write_accept_capsule(image_type(0))}});
  EXPECT_EQ(numbers(rig.run({{"A", old}})), "22");
}

TEST(Defect29, a_kind_decides_how_a_capsule_is_read) {
  FwuRig rig;
  Guid like_fmp{};
  like_fmp.on_disk[0] = 1;  // read as an FMP header: version 1
  EXPECT_EQ(numbers(rig.run({{"A", write_accept_capsule(like_fmp)}})), "22") << "nothing is on trial";
}

}  // namespace
}  // namespace vif::test
