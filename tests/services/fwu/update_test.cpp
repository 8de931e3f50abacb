// SPDX-License-Identifier: BSD-2-Clause
// Updates as a user sees them: trial, acceptance, signatures, dependencies, order, interruption, and what is said.
#include "services/fwu/update.hpp"

#include <gtest/gtest.h>

#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/fwu_rig.hpp"

namespace vif::test {
namespace {

using namespace fwu;

const std::map<std::string, Buffer> kBoth = {{"A", FwuRig::capsule({0, 'x'})}, {"B", FwuRig::capsule({1, 'y'})}};
const std::map<std::string, Buffer> kBothOnTrial = {{"A", FwuRig::capsule({0, 'x', kAcceptLater})},
                                                    {"B", FwuRig::capsule({1, 'y', kAcceptLater})}};

class FwuUpdate : public testing::TestWithParam<std::uint32_t> {
 protected:
  FwuRig rig{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Versions, FwuUpdate, testing::Values(1u, 2u));

TEST_P(FwuUpdate, installs_in_the_other_bank_and_keeps_the_old_one) {
  EXPECT_EQ(numbers(rig.run(kBoth)), "0 0");
  EXPECT_EQ(rig.bank(0), "ab");
  EXPECT_EQ(rig.bank(1), "xy");
  const Metadata metadata = rig.metadata();
  EXPECT_EQ(metadata.active_index, 1u);
  EXPECT_EQ(metadata.previous_active_index, 0u);
  EXPECT_EQ(bank_state(metadata, 1), BankState::accepted);
  EXPECT_EQ(rig.trial_counter(), -1);
}

TEST_P(FwuUpdate, a_trial_ends_after_three_boots_with_the_old_bank) {
  rig.run(kBothOnTrial);
  EXPECT_EQ(rig.trial_counter(), 0);
  for (int boot = 1; boot <= 3; ++boot) {
    const auto outcome = rig.boot();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->trial_boot, boot);
    EXPECT_EQ(outcome->boot_bank, 1u);
    EXPECT_EQ(rig.trial_counter(), boot);
  }
  const auto fourth = rig.boot();
  ASSERT_TRUE(fourth) << fourth.error().text;
  EXPECT_EQ(fourth->next_bank, 0u);
  EXPECT_EQ(rig.metadata().active_index, 0u);
  EXPECT_EQ(rig.trial_counter(), -1);
  EXPECT_EQ(rig.metadata().previous_active_index, 1u);
  EXPECT_NE(bank_state(rig.metadata(), 1), BankState::accepted);
}

TEST_P(FwuUpdate, a_trial_ends_well_when_every_image_is_accepted) {
  rig.run(kBothOnTrial);
  ASSERT_TRUE(rig.boot());
  EXPECT_EQ(numbers(rig.run({{"A", write_accept_capsule(image_type(1))}})), "0");
  EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::valid);
  ASSERT_TRUE(rig.boot());
  EXPECT_EQ(numbers(rig.run({{"A", write_accept_capsule(image_type(0))}})), "0");
  EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::accepted);
  ASSERT_TRUE(rig.boot());
  EXPECT_EQ(rig.trial_counter(), -1);
  EXPECT_EQ(rig.metadata().active_index, 1u);
}

TEST_P(FwuUpdate, is_refused_while_one_is_on_trial) {
  rig.run(kBothOnTrial);
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'z'})}})), std::to_string(EBUSY));
  EXPECT_EQ(rig.medium.disk, before.disk);
  EXPECT_EQ(numbers(rig.run(kBothOnTrial)), "0 0") << "the same one again has happened already";
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST_P(FwuUpdate, the_same_capsules_twice_leave_the_old_bank_alone) {
  rig.run(kBoth);
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run(kBoth)), "0 0");
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST_P(FwuUpdate, restores_a_bad_copy_from_the_good_one) {
  for (const std::size_t copy : {0u, 1u}) {
    FwuRig damaged = rig;
    damaged.damage(copy, 20);
    const auto outcome = damaged.boot(0);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->notes.size(), 1u);
    EXPECT_EQ(damaged.medium.disk, rig.medium.disk);
  }
}

TEST_P(FwuUpdate, of_two_good_copies_the_primary_counts) {
  Metadata other = rig.metadata();
  other.active_index = 1, other.previous_active_index = 0;
  rig.put(1, other);
  ASSERT_TRUE(rig.boot(0));
  EXPECT_EQ(rig.metadata().active_index, 0u);
  SimStore store(rig.medium);
  EXPECT_EQ(*MetadataCopies::find(rig.device(store))->read(MetadataCopies::Place::secondary), rig.metadata());
}

TEST_P(FwuUpdate, follows_what_an_earlier_loader_booted) {
  const auto outcome = rig.boot(1);
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(rig.metadata().active_index, 1u);
  EXPECT_EQ(rig.metadata().previous_active_index, 0u);
  EXPECT_FALSE(rig.boot(7)) << "no such bank";
}

TEST_P(FwuUpdate, a_medium_that_does_not_read_back_is_not_booted) {
  SimStore store(rig.medium);
  const Device device = rig.device(store);
  Buffer bytes = FwuRig::capsule({0, 'x'});
  MemoryRange range(bytes);
  Result<Plan> plan = Planner{device, rig.digests, nullptr, rig.policy}.plan({{"A", &range, {}}}, 0);
  ASSERT_TRUE(plan) << plan.error().text;
  bytes[500] ^= std::byte{1};  // the file changes between verifying and writing
  const Status applied = Update(device, rig.digests, rig.observer).apply(*plan);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().number(), EIO);
  EXPECT_EQ(rig.metadata().active_index, 0u);
  EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::invalid);
}

TEST_P(FwuUpdate, goes_on_where_it_was_cut_off) {
  FwuRig cut = rig;
  SimStore store(cut.medium);
  store.fail_call(20, EIO);
  cut.run(store, kBoth);
  ASSERT_FALSE(cut.last_error);
  cut.observer.steps.clear();
  EXPECT_EQ(numbers(cut.run(kBoth)), "0 0");
  EXPECT_EQ(cut.bank(1), "xy");
}

TEST(FwuUpdates, dry_run_says_each_step_and_writes_nothing) {
  FwuRig rig;
  const SimMedium before = rig.medium;
  SimStore store(rig.medium);
  const Device device = rig.device(store);
  const Buffer bytes = FwuRig::capsule({.image = 0, .flags = kAcceptLater, .payload = PayloadVersion{7, 0}});
  MemoryRange range(bytes);
  const Result<Plan> plan = Planner{device, rig.digests, nullptr, rig.policy}.plan({{"A.cap", &range, {}}}, 0);
  ASSERT_TRUE(plan) << plan.error().text;
  const std::vector<std::string> steps = plan->explain();
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ(steps[0], "mark bank 1 as unfinished in both copies of the FWU metadata");
  EXPECT_EQ(steps[1], "write 2048 bytes of A.cap into partition 5 (" + to_string(image_type(0)) +
                          "), version 7, to be accepted later");
  EXPECT_EQ(rig.medium, before);
  EXPECT_TRUE(store.log().empty());
}

TEST(FwuUpdates, signatures_decide_unless_unsigned_is_allowed) {
  FwuRig rig;
  rig.trusts_keys = true, rig.policy = {};
  const std::string rejected = std::to_string(EKEYREJECTED);
  Buffer good = FwuRig::capsule({.image = 0, .signed_count = 1}), changed = good;
  changed.back() ^= std::byte{1};
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", FwuRig::capsule({0})}})), rejected);
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", changed}})), rejected);
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", good}})), "0");
  FwuRig no_keys = rig;
  no_keys.trusts_keys = false;
  EXPECT_EQ(numbers(no_keys.run({{"A", good}})), rejected) << "nobody to trust";
  rig.policy.allow_unsigned = true;
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", changed}})), rejected) << "a bad signature is worse than none";
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'x'})}})), "0");
}

TEST(FwuUpdates, a_dependency_must_hold_then) {
  FwuRig rig;
  const Buffer image(FwuRig::kImageBytes, std::byte{'x'});
  ItemToWrite item{.image_type = image_type(0), .payload = {}, .dependency = {}, .image = image, .signature = {}};
  item.dependency = Buffer(1 + 4 + 1 + 16 + 2);  // push 5, push the second image, >=, end
  item.dependency[0] = std::byte{1}, item.dependency[1] = std::byte{5};
  store_guid(&item.dependency[6], image_type(1));
  item.dependency[22] = std::byte{0x0a}, item.dependency[23] = std::byte{0x0d};
  const Buffer needs = *write_firmware_capsule({&item, 1}, 0);
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", needs}})), "22");
  const Buffer old = FwuRig::capsule({.image = 1, .payload = PayloadVersion{4, 0}});
  const Buffer fresh = FwuRig::capsule({.image = 1, .payload = PayloadVersion{5, 0}});
  EXPECT_EQ(numbers(FwuRig(rig).run({{"A", needs}, {"B", old}})), "22 125");
  EXPECT_EQ(numbers(rig.run({{"A", needs}, {"B", fresh}})), "0 0");
  EXPECT_EQ(numbers(rig.run({{"A", needs}})), "0") << "now it runs";
}

TEST(FwuUpdates, are_refused_for_other_devices) {
  FwuRig rig;
  Buffer type = FwuRig::capsule({0}), index = type, instance = type;
  store_guid(&type[48], some_guid(9, 9));
  index[64] = std::byte{2};
  instance[76] = std::byte{5};
  for (const Buffer& capsule : {type, index, instance}) EXPECT_EQ(numbers(rig.run({{"A", capsule}})), "95");
  rig.policy.hardware_instance = 5;
  EXPECT_EQ(numbers(rig.run({{"A", instance}})), "0");
}

TEST(FwuUpdates, partitions_that_are_missing_doubled_or_of_another_type_are_named) {
  const Buffer capsule = FwuRig::capsule({0});
  FwuRig missing, doubled, other;
  missing.partitions[4].unique = some_guid(1, 1);
  doubled.partitions[5].unique = doubled.partitions[4].unique;
  other.partitions[4].type = some_guid(1, 1);
  EXPECT_EQ(numbers(missing.run({{"A", capsule}})), std::to_string(ENODEV));
  EXPECT_EQ(numbers(doubled.run({{"A", capsule}})), "22");
  EXPECT_EQ(numbers(other.run({{"A", capsule}})), "22");
  FwuRig one_copy, three_copies;
  one_copy.partitions[1].type = some_guid(1, 1);
  three_copies.partitions[3].type = kMetadataPartition;
  one_copy.run({{"A", capsule}}, 0);
  EXPECT_EQ(one_copy.last_error.error().number(), ENOENT);
  three_copies.run({{"A", capsule}}, 0);
  EXPECT_EQ(three_copies.last_error.error().number(), EINVAL);
}

TEST(FwuUpdates, results_are_numbered_and_wrap) {
  FwuRig rig;
  SimStore store(rig.medium);
  const std::vector<CapsuleOutcome> one = {{"A", kFmpCapsule, {}}};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(record_results(store, one, 0, 1));
  EXPECT_EQ(read_capsule_last(*rig.variable(kCapsuleReport, "CapsuleLast")), 0);
  EXPECT_TRUE(rig.variable(kCapsuleReport, "Capsule0001"));
  EXPECT_FALSE(rig.variable(kCapsuleReport, "Capsule0002"));
}

TEST(FwuUpdates, an_operator_can_trust_an_invalid_bank_again) {
  Metadata metadata = some_metadata(2);
  EXPECT_FALSE(clear_invalid(metadata, 1));
  metadata.bank_state_bytes[1] = 0xff;
  EXPECT_TRUE(clear_invalid(metadata, 1));
  EXPECT_EQ(bank_state(metadata, 1), BankState::accepted);
  begin_update(metadata, 1);
  EXPECT_TRUE(clear_invalid(metadata, 1));
  EXPECT_EQ(bank_state(metadata, 1), BankState::valid) << "its images have not been accepted";
}

}  // namespace
}  // namespace vif::test
