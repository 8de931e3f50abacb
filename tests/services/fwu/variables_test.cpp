// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/variables.hpp"

#include <gtest/gtest.h>

#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/variable_file.hpp"
#include "tests/services/fwu/some_metadata.hpp"

namespace vif::test {
namespace {

using namespace fwu;

TEST(FwuVariables, trial_counter_has_two_bytes_exactly) {
  Variable counter = trial_counter_variable(0x0102);
  EXPECT_EQ(counter.attributes, 0x3u);
  EXPECT_EQ(counter.bytes, (std::vector<std::byte>{std::byte{2}, std::byte{1}}));
  EXPECT_EQ(read_trial_counter(counter), 0x0102);
  for (const std::size_t bytes : {0u, 1u, 3u, 8u}) {
    counter.bytes.resize(bytes);
    EXPECT_FALSE(read_trial_counter(counter)) << bytes << " bytes";
  }
}

TEST(FwuVariables, result_of_a_capsule_is_laid_out_as_uefi_says) {
  const std::int64_t when = 1'795'980'256'123'456'789;  // 2026-11-29 19:24:16 UTC
  const Variable result = capsule_result_variable(0xab, {kFmpCapsule, when, EfiStatus::security_violation});
  EXPECT_EQ(result.space, kCapsuleReport);
  EXPECT_EQ(result.name, "Capsule00AB");
  EXPECT_EQ(result.attributes, 0x7u);
  ASSERT_EQ(result.bytes.size(), 48u);
  EXPECT_EQ(load_le32(&result.bytes[0]), 48u);
  EXPECT_EQ(load_guid(&result.bytes[8]), kFmpCapsule);
  EXPECT_EQ(load_le16(&result.bytes[24]), 2026);
  EXPECT_EQ(result.bytes[26], std::byte{11});
  EXPECT_EQ(result.bytes[27], std::byte{29});
  EXPECT_EQ(result.bytes[28], std::byte{19});
  EXPECT_EQ(result.bytes[29], std::byte{24});
  EXPECT_EQ(result.bytes[30], std::byte{16});
  EXPECT_EQ(load_le32(&result.bytes[32]), 123'456'789u);
  EXPECT_EQ(load_le64(&result.bytes[40]), 0x800000000000001a);
}

TEST(FwuVariables, last_capsule_is_its_name_in_utf16_without_an_end) {
  Variable last = capsule_last_variable(7);
  EXPECT_EQ(last.attributes, 0x80000007u);
  EXPECT_EQ(last.bytes.size(), 22u);
  EXPECT_EQ(read_capsule_last(last), 7);
  last.bytes[20] = std::byte{'G'};
  EXPECT_FALSE(read_capsule_last(last));
  last.bytes.resize(20);
  EXPECT_FALSE(read_capsule_last(last));
}

TEST(FwuVariables, versions_have_16_bytes_a_bank) {
  const std::vector<FmpState> banks = {{}, {7, 3, 8, 2}};
  const Variable state = fmp_state_variable(image_type(0), 1, banks);
  EXPECT_EQ(state.name, "FmpState0001");
  EXPECT_EQ(state.bytes.size(), 32u);
  EXPECT_EQ(load_le32(&state.bytes[16]), 7u);
  EXPECT_EQ(read_fmp_state(state, 2), banks);
  EXPECT_EQ(read_fmp_state(state, 3), std::vector<FmpState>(3)) << "of another number of banks: ignored";
}

TEST(FwuVariables, floor_reads_back) {
  const ImageFloor floor{3, 0x1122334455667788, {1, 2}};
  EXPECT_EQ(*read_image_floor(image_floor_variable(image_type(0), 1, floor), 2), floor);
  const auto other = read_image_floor(image_floor_variable(image_type(0), 1, floor), 4);
  ASSERT_FALSE(other) << "of another number of banks: not taken for none";
  EXPECT_EQ(other.error().number(), EBADMSG);
}

TEST(FwuVariables, errors_become_the_status_the_documents_name) {
  const auto status = [](int number) { return efi_status(fail(number, "")); };
  EXPECT_EQ(efi_status({}), EfiStatus::success);
  EXPECT_EQ(status(EINVAL), EfiStatus::invalid_parameter);
  EXPECT_EQ(status(EBUSY), EfiStatus::invalid_parameter);
  EXPECT_EQ(status(ENOTSUP), EfiStatus::unsupported);
  EXPECT_EQ(status(EIO), EfiStatus::device_error);
  EXPECT_EQ(status(ERANGE), EfiStatus::device_error);
  EXPECT_EQ(status(ENOENT), EfiStatus::not_found);
  EXPECT_EQ(status(ENODEV), EfiStatus::not_found);
  EXPECT_EQ(status(EKEYREJECTED), EfiStatus::security_violation);
  EXPECT_EQ(status(ENOMEM), EfiStatus::out_of_resources);
}

std::vector<Variable> some_variables() {
  return {trial_counter_variable(1), capsule_last_variable(2), {kGlobalVariable, "OsIndications", 7, {}}};
}

TEST(FwuVariableFile, reads_back_what_it_writes) {
  for (std::size_t count = 0; count <= 3; ++count) {
    std::vector<Variable> variables = some_variables();
    variables.resize(count);
    const std::vector<std::byte> file = write_variable_file(variables);
    EXPECT_EQ(file.size() % 8, 0u);
    const Result<std::vector<Variable>> read = read_variable_file(file);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(*read, variables);
  }
}

TEST(FwuVariableFile, one_that_is_too_large_is_not_called_damaged) {
  const auto read = read_variable_file(std::vector<std::byte>(kVariableFileBytesMax + 1));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().number(), EFBIG);
}

TEST(FwuVariableFile, refuses_every_cut_and_every_changed_byte) {
  const std::vector<std::byte> good = write_variable_file(some_variables());
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(read_variable_file(Bytes(good).first(length)));
  for (std::size_t at = 8; at < good.size(); ++at) {
    std::vector<std::byte> changed = good;
    changed[at] ^= std::byte{0x80};
    EXPECT_FALSE(read_variable_file(changed)) << "byte " << at;
  }
}

TEST(FwuVariableFile, refuses_lengths_that_lead_out_of_it) {
  for (const std::uint32_t length : {0u, 3u, 0x7fffffffu, 0xffffffffu}) {
    std::vector<std::byte> file = write_variable_file(some_variables());
    store_le32(&file[24], length);
    store_le32(&file[20], crc32(Bytes(file).subspan(24)));
    const Result<std::vector<Variable>> read = read_variable_file(file);
    EXPECT_TRUE(!read || *read != some_variables()) << "a variable of " << length << " bytes";
  }
}

}  // namespace
}  // namespace vif::test
