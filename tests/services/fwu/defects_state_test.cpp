// SPDX-License-Identifier: BSD-2-Clause
// Defects of U-Boot's FWU code in its metadata, its boot checks and its answers to accept and revert; the numbers are
// those of the list in docs/fwu.md. Each test asks for what should happen instead.
#include <gtest/gtest.h>

#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/fwu_rig.hpp"

namespace vif::test {
namespace {

using namespace fwu;

const std::uint32_t kTrial = kAcceptLater;
const std::map<std::string, Buffer> kNewOnTrial = {{"A", FwuRig::capsule({0, 'x', kTrial})},
                                                   {"B", FwuRig::capsule({1, 'y', kTrial})}};
const std::map<std::string, Buffer> kAcceptBoth = {{"A", write_accept_capsule(image_type(0))},
                                                   {"B", write_accept_capsule(image_type(1))}};
const std::map<std::string, Buffer> kRevert = {{"A", write_revert_capsule()}};

TEST(Defect01, two_bad_copies_are_refused_and_not_written) {
  FwuRig rig;
  rig.damage(0, 60), rig.damage(1, 61);
  const SimMedium before = rig.medium;
  const auto outcome = rig.boot(0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().number(), EBADMSG);
  EXPECT_EQ(rig.medium, before);
  SimStore store(rig.medium);
  MetadataCopies copies = *MetadataCopies::find(rig.device(store));
  EXPECT_TRUE(copies.force(MetadataCopies::Place::secondary, {}));
  EXPECT_TRUE(copies.read(MetadataCopies::Place::primary)) << "but an operator may say which one is right";
}

TEST(Defect02, a_size_that_lies_costs_its_own_copy_only) {
  for (const std::uint32_t size : {0u, 3u, 0x60u, 0xfffffff0u}) {
    FwuRig rig;
    store_le32(&rig.medium.disk[16], size);
    const auto outcome = rig.boot(0);
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->metadata, some_metadata(2)) << size;
    SimStore store(rig.medium);
    const MetadataCopies copies = *MetadataCopies::find(rig.device(store));
    EXPECT_TRUE(copies.read(MetadataCopies::Place::primary)) << "restored";
    EXPECT_TRUE(copies.read(MetadataCopies::Place::secondary));
  }
}

TEST(Defect05, a_stray_revert_leaves_a_healthy_device_alone) {
  FwuRig rig;
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run(kRevert)), "22");
  EXPECT_EQ(numbers(rig.run(kAcceptBoth)), "22 22");
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST(Defect05, firmware_and_answers_do_not_mix) {
  FwuRig rig;
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0})}, {"B", write_revert_capsule()}})), "22 22");
  EXPECT_EQ(rig.medium.disk, before.disk);
}

TEST(Defect07, trial_is_judged_by_the_bank_that_runs) {
  FwuRig rig;
  Metadata metadata = some_metadata(2);
  metadata.bank_state_bytes[1] = 0xfe;
  metadata.images[0].banks[1].accept(false);
  rig.put(metadata);
  const auto outcome = rig.boot(1);  // the loader took bank 1, which is on trial
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->trial_boot, 1);
  EXPECT_EQ(numbers(rig.run(kNewOnTrial, 1)), std::to_string(EBUSY) + " " + std::to_string(EBUSY));
}

TEST(Defect08, a_lost_counter_starts_again) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  rig.medium.variables.erase({kGlobalVariable, kTrialCounterName});
  for (int boot = 1; boot <= 3; ++boot) {
    const auto outcome = rig.boot();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->trial_boot, boot);
  }
  ASSERT_TRUE(rig.boot());
  EXPECT_EQ(rig.metadata().active_index, 0u);
}

TEST(Defect09, index_states_and_accept_bits_change_in_one_write) {
  FwuRig rig;
  SimStore store(rig.medium);
  rig.run(store, kNewOnTrial);
  int active_is_new = 0;
  bool counter_is_there = false;
  for (const auto& event : store.log()) {
    if (event.kind == host::sim::SimWrite::Kind::set && event.variable.name == kTrialCounterName)
      counter_is_there = true;
    if (event.kind != host::sim::SimWrite::Kind::write || event.offset >= 2 * FwuRig::kMetadataBytes) continue;
    const Result<Metadata> written = Metadata::parse(event.bytes);
    ASSERT_TRUE(written) << written.error().text;
    if (written->active_index != 1) continue;
    ++active_is_new;
    EXPECT_TRUE(counter_is_there) << "before the bank is active, or its boots could not be counted";
    EXPECT_EQ(bank_state(*written, 1), BankState::valid);
    EXPECT_FALSE(written->images[0].banks[1].is_accepted());
  }
  EXPECT_EQ(active_is_new, 2);
}

TEST(Defect14, a_revert_goes_to_a_bank_that_can_boot) {
  FwuRig rig(2, 3);
  rig.run(kNewOnTrial);
  Metadata metadata = rig.metadata();
  ASSERT_EQ(metadata.active_index, 1u);
  metadata.bank_state_bytes[0] = 0xff;  // the previous one has become invalid
  rig.put(metadata);
  EXPECT_EQ(numbers(rig.run(kRevert)), "0");
  EXPECT_EQ(rig.metadata().active_index, 2u);
}

TEST(Defect14, a_revert_without_another_bank_is_refused) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  Metadata metadata = rig.metadata();
  metadata.bank_state_bytes[0] = 0xff;
  rig.put(metadata);
  EXPECT_EQ(numbers(rig.run(kRevert)), std::to_string(ENOENT));
  EXPECT_EQ(rig.metadata(), metadata);
}

TEST(Defect14, two_reverts_in_a_run_are_one) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  EXPECT_EQ(numbers(rig.run({{"A", write_revert_capsule()}, {"B", write_revert_capsule()}})), "0 22");
  EXPECT_EQ(rig.metadata().active_index, 0u);
}

TEST(Defect14, accept_and_revert_in_a_run_are_refused) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  const Metadata before = rig.metadata();
  EXPECT_EQ(numbers(rig.run({{"A", write_accept_capsule(image_type(0))}, {"B", write_revert_capsule()}})), "22 22");
  EXPECT_EQ(rig.metadata(), before);
}

TEST(Defect15, a_bank_that_was_reverted_is_invalid) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  rig.run(kRevert);
  EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::invalid);
}

TEST(Defect17, a_counter_of_another_size_is_none) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  Variable counter = trial_counter_variable(3);
  counter.bytes.resize(8);
  rig.medium.variables[{kGlobalVariable, kTrialCounterName}] = counter;
  const auto outcome = rig.boot();
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->trial_boot, 1);
  EXPECT_EQ(rig.trial_counter(), 1);
}

TEST(Defect18, what_follows_metadata_in_its_sector_is_zero) {
  FwuRig rig;
  for (std::size_t at = 200; at < FwuRig::kMetadataBytes; ++at) rig.damage(0, at), rig.damage(1, at);
  rig.run(kNewOnTrial);
  for (const std::size_t copy : {0u, 1u}) {
    const auto sector = rig.copy_at(copy);
    EXPECT_TRUE(std::all_of(sector + 200, sector + 512, [](std::byte byte) { return byte == std::byte{0}; }));
  }
}

TEST(Defect27, a_change_by_somebody_else_is_noticed) {
  FwuRig rig;
  SimStore store(rig.medium);
  const Device device = rig.device(store);
  Buffer first = FwuRig::capsule({0}), second = FwuRig::capsule({1});
  MemoryRange one(first), other(second);
  Result<Plan> plan = Planner{device, rig.digests, nullptr, rig.policy}.plan({{"A", &one, {}}, {"B", &other, {}}}, 0);
  ASSERT_TRUE(plan);
  Metadata changed = some_metadata(2);
  changed.previous_active_index = 0;
  rig.put(changed);
  const Status applied = Update(device, rig.digests, rig.observer).apply(*plan);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().number(), ESTALE);
  EXPECT_EQ(rig.metadata(), changed);
  EXPECT_EQ(rig.bank(1), "pq");
}

TEST(Defect28, accepting_all_images_writes_each_copy_once) {
  FwuRig rig;
  rig.run(kNewOnTrial);
  SimStore store(rig.medium);
  EXPECT_EQ(numbers(rig.run(store, kAcceptBoth)), "0 0");
  const auto writes = std::count_if(store.log().begin(), store.log().end(),
                                    [](const auto& event) { return event.kind == host::sim::SimWrite::Kind::write; });
  EXPECT_EQ(writes, 2);
  EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::accepted);
}

}  // namespace
}  // namespace vif::test
