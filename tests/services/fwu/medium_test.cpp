// SPDX-License-Identifier: BSD-2-Clause
// What an update may touch on its medium and in its variables, and what it must have made sure of before it does.
#include <gtest/gtest.h>

#include "services/fwu/bank_layout.hpp"
#include "services/fwu/little_endian.hpp"
#include "tests/services/fwu/fwu_rig.hpp"

namespace vif::test {
namespace {

using namespace fwu;

const std::map<std::string, Buffer> kOne = {{"A", FwuRig::capsule({0, 'x'})}};
const std::string kInvalid = std::to_string(EINVAL);

void expect_refused_untouched(FwuRig rig, const std::string& why) {
  const SimMedium before = rig.medium;
  const Plan plan = rig.run(kOne);
  EXPECT_EQ(numbers(plan), kInvalid) << why;
  EXPECT_EQ(rig.medium.disk, before.disk) << why;
}

TEST(FwuMedium, images_that_share_a_partition_are_not_updated) {
  for (const std::uint32_t version : {1u, 2u}) {
    FwuRig banks(version), images(version);
    Metadata metadata = banks.metadata();
    metadata.images[0].banks[1].image = metadata.images[0].banks[0].image;
    banks.put(metadata);
    expect_refused_untouched(banks, "both banks name one partition: the one that runs");
    metadata = images.metadata();
    metadata.images[1].banks[1].image = metadata.images[0].banks[1].image;
    images.put(metadata);
    expect_refused_untouched(images, "two images of a bank name one");
  }
}

TEST(FwuMedium, partitions_that_lie_on_another_are_not_written) {
  FwuRig running, copy, beside;
  running.partitions[4].offset_bytes = running.partitions[2].offset_bytes + 512;
  expect_refused_untouched(running, "on the image that runs");
  Metadata metadata = copy.metadata();
  copy.partitions[0].unique = metadata.images[1].banks[1].image;
  copy.partitions[5].unique = some_guid(1, 1);
  expect_refused_untouched(copy, "the metadata itself");
  beside.partitions.push_back({9, some_guid(1, 1), some_guid(1, 2), beside.partitions[5].offset_bytes, 512});
  expect_refused_untouched(beside, "a stranger's");
  FwuRig apart;
  apart.partitions.push_back({9, some_guid(1, 1), some_guid(1, 2), apart.medium.disk.size(), 512});
  EXPECT_EQ(numbers(apart.run(kOne)), "0");
}

TEST(FwuMedium, no_copy_goes_into_a_partition_of_another_type) {
  FwuRig rig;
  rig.partitions[5].type = kSystemPartition;
  expect_refused_untouched(rig, "image 1 has no capsule: it would be copied");
}

// The write of a copy was cut off: no boot check has been there since.
TEST(FwuMedium, a_torn_copy_of_the_metadata_stops_no_change) {
  for (const std::size_t copy : {0u, 1u}) {
    FwuRig rig;
    const auto tear = [&] { std::fill_n(rig.copy_at(copy), 64, std::byte{}); };
    tear();
    EXPECT_EQ(numbers(rig.run({{"A", FwuRig::capsule({0, 'x', kAcceptLater})}})), "0") << rig.last_error.error().text;
    tear();
    FwuRig other = rig;
    EXPECT_EQ(numbers(other.run({{"A", write_revert_capsule()}})), "0");
    EXPECT_EQ(other.metadata().active_index, 0u);
    EXPECT_EQ(numbers(rig.run({{"A", write_accept_capsule(image_type(0))}})), "0");
    EXPECT_EQ(bank_state(rig.metadata(), 1), BankState::accepted);
  }
}

TEST(FwuMedium, a_good_copy_is_there_throughout_a_change_from_a_torn_one) {
  for (const std::size_t copy : {0u, 1u}) {
    for (int call = 0; call < 12; ++call) {
      FwuRig rig;
      std::fill_n(rig.copy_at(copy), 64, std::byte{});
      const Metadata before = rig.metadata();
      SimStore store(rig.medium);
      MetadataCopies copies = *MetadataCopies::find(rig.device(store));
      Metadata after = before;
      after.active_index = 1;
      store.fail_call(call, EIO, 40);
      (void)copies.replace(before, after);
      const Metadata now = rig.metadata();  // fails where there is none
      EXPECT_TRUE(now == before || now == after) << "call " << call;
    }
  }
}

TEST(FwuMedium, what_was_installed_and_is_gone_is_installed_again) {
  FwuRig rig;
  rig.run(kOne);
  ASSERT_EQ(rig.bank(1), "xb");
  rig.fill(rig.partitions[4], '0');
  EXPECT_EQ(numbers(rig.run(kOne)), "0");
  EXPECT_EQ(rig.metadata().active_index, 0u) << "in the bank that does not run";
  EXPECT_EQ(rig.bank(0), "xb");
}

TEST(FwuMedium, variables_that_cannot_be_written_are_known_before_the_bank_is_touched) {
  FwuRig whole;
  SimStore counted(whole.medium);
  whole.run(counted, kOne);
  bool variable_first = false;
  for (const auto& event : counted.log()) {
    if (event.kind == host::sim::SimWrite::Kind::write) break;
    variable_first |= event.kind == host::sim::SimWrite::Kind::set;
  }
  EXPECT_TRUE(variable_first) << "a variable first";

  FwuRig again;  // nor when everything that would be written is there already
  again.run(kOne);
  SimStore second(again.medium);
  again.run(second, {{"A", FwuRig::capsule({0, 'z'})}});
  ASSERT_FALSE(second.log().empty());
  EXPECT_NE(second.log().front().kind, host::sim::SimWrite::Kind::write);

  // Of all variables of the update, each has its size by then.
  std::map<std::string, std::size_t> sizes;
  bool marked = false;
  for (const auto& event : counted.log()) {
    marked |= event.kind == host::sim::SimWrite::Kind::write;
    if (event.kind != host::sim::SimWrite::Kind::set || event.variable.space == kCapsuleReport) continue;
    if (marked) {
      EXPECT_EQ(sizes[event.variable.name], event.variable.bytes.size()) << event.variable.name;
    }
    sizes[event.variable.name] = event.variable.bytes.size();
  }
}

TEST(FwuMedium, a_floor_of_another_size_is_no_floor_of_zero) {
  for (const std::size_t image : {0u, 1u}) {
    FwuRig rig;
    Variable floor = image_floor_variable(image_type(image), static_cast<std::uint8_t>(image + 1), {5, 0, {0, 0}});
    floor.bytes.resize(floor.bytes.size() + 8);
    rig.medium.variables[{floor.space, floor.name}] = floor;
    const SimMedium before = rig.medium;
    EXPECT_EQ(numbers(rig.run(kOne)), std::to_string(EBADMSG));
    EXPECT_EQ(rig.medium.disk, before.disk);
  }
}

TEST(FwuMedium, results_stay_small) {
  FwuRig rig;
  SimStore store(rig.medium);
  const std::vector<CapsuleOutcome> one = {{"A", kFmpCapsule, {}}};
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(record_results(store, one, 0));
  EXPECT_EQ(rig.medium.variables.size(), 257u) << "256 results and the name of the last";
  rig.medium.variables[{kCapsuleReport, "CapsuleLast"}] = capsule_last_variable(10'076);
  ASSERT_TRUE(record_results(store, one, 0));
  EXPECT_EQ(read_capsule_last(*rig.variable(kCapsuleReport, "CapsuleLast")), 0) << "from before the limit";
}

// What a signature covers cannot become firmware by bits of a header that it does not cover.
TEST(FwuMedium, a_signed_dependency_cannot_be_cleared_away) {
  FwuRig rig;
  rig.trusts_keys = true, rig.policy = {};
  const Buffer image(100, std::byte{'x'});
  ItemToWrite item{.image_type = image_type(0), .payload = {}, .dependency = {}, .image = image, .signature = {}};
  item.payload = PayloadVersion{5, 0};
  item.dependency = {std::byte{7}, std::byte{0x0d}};  // FALSE END
  item.signature = {1, WeakSignatures::sign(item.image_type, signed_bytes(item, 1))};
  Buffer capsule = *write_firmware_capsule({&item, 1}, kPersistAcrossReset | kAcceptLater);
  EXPECT_EQ(numbers(rig.run({{"A", capsule}})), "22") << "the dependency does not hold";
  constexpr std::size_t kSupportAt = 28 + 16 + 40;
  ASSERT_EQ(load_le64(&capsule[kSupportAt]), kSupportsAuthentication | kSupportsDependency);
  store_le64(&capsule[kSupportAt], kSupportsAuthentication);
  const SimMedium before = rig.medium;
  EXPECT_EQ(numbers(rig.run({{"A", capsule}})), std::to_string(EKEYREJECTED));
  EXPECT_EQ(rig.medium.disk, before.disk);
}

}  // namespace
}  // namespace vif::test
