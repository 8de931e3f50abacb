// SPDX-License-Identifier: BSD-2-Clause
// Files as media and as stores of variables: what a host refuses comes back as what it is, and a variable is whole or
// not at all.
#include "hypercall/fwu/file_store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "hypercall/fwu/certificates.hpp"
#include "hypercall/fwu/variable_store.hpp"
#include "tests/support/host_faults.hpp"

namespace vif::test {
namespace {

using host::Access;
using host::FileStore;
using host::VariableStore;

class FwuFiles : public testing::Test {
 protected:
  FwuFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "vif-fwu-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = (folder / "medium").string();
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(std::string(2000, 'x').c_str(), file);
    std::fclose(file);
  }
  ~FwuFiles() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::string path;
  std::array<std::byte, 100> piece{};
};

TEST_F(FwuFiles, one_writer_at_a_time_and_any_readers) {
  auto writer = FileStore::open(path, Access::write);
  ASSERT_TRUE(writer) << writer.error().text;
  const auto second = FileStore::open(path, Access::write);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number(), EBUSY);
  EXPECT_TRUE(FileStore::open(path, Access::read));
  writer->reset();
  EXPECT_TRUE(FileStore::open(path, Access::write));
}

TEST_F(FwuFiles, reads_and_writes_within_the_file_only) {
  auto store = *FileStore::open(path, Access::write);
  EXPECT_EQ(store->size_bytes(), 2000u);
  piece.fill(std::byte{'y'});
  ASSERT_TRUE(store->write(1900, piece));
  ASSERT_TRUE(store->flush());
  piece.fill({});
  ASSERT_TRUE(store->read(1900, piece));
  EXPECT_EQ(piece[99], std::byte{'y'});
  EXPECT_EQ(store->write(1901, piece).error().number(), ENOSPC);
  EXPECT_EQ(store->write(UINT64_MAX, piece).error().number(), ENOSPC);
  EXPECT_EQ(store->read(1901, piece).error().number(), EIO);
  EXPECT_EQ(std::filesystem::file_size(path), 2000u);
}

TEST_F(FwuFiles, what_the_host_refuses_is_said) {
  auto store = *FileStore::open(path, Access::write);
  HostFaults faults;
  faults.fail("pwrite", EINTR, 1);
  EXPECT_TRUE(store->write(0, piece)) << "interrupted, done again";
  for (const int number : {EIO, ENOSPC, EROFS}) {
    faults.fail("pwrite", number, 1);
    EXPECT_EQ(store->write(0, piece).error().number(), number);
  }
  faults.fail("pread", EIO, 1);
  EXPECT_EQ(store->read(0, piece).error().number(), EIO);
  faults.fail("fdatasync", EIO, 1);
  EXPECT_EQ(store->flush().error().number(), EIO);
}

TEST_F(FwuFiles, neither_folders_nor_missing_files_are_media) {
  EXPECT_EQ(FileStore::open(folder.string(), Access::read).error().number(), EINVAL);
  EXPECT_EQ(FileStore::open(path + "?", Access::read).error().number(), ENOENT);
  const auto partitions = (*FileStore::open(path, Access::read))->partitions();
  ASSERT_FALSE(partitions);
  EXPECT_NE(partitions.error().text.find("GPT"), std::string::npos);
}

TEST_F(FwuFiles, variables_last) {
  const std::string file = path + ".var";
  auto store = *VariableStore::open(file);
  EXPECT_FALSE(*store->get(fwu::kGlobalVariable, fwu::kTrialCounterName));
  ASSERT_TRUE(store->set(fwu::trial_counter_variable(2)));
  ASSERT_TRUE(store->set(fwu::capsule_last_variable(1)));
  ASSERT_TRUE(store->erase(fwu::kCapsuleReport, "CapsuleLast"));
  ASSERT_TRUE(store->erase(fwu::kCapsuleReport, "CapsuleLast")) << "of one that is not there";
  const auto again = *VariableStore::open(file);
  EXPECT_EQ(again->all(), std::vector{fwu::trial_counter_variable(2)});
}

TEST_F(FwuFiles, a_variable_that_cannot_be_written_keeps_its_value) {
  const std::string file = path + ".var";
  auto store = *VariableStore::open(file);
  ASSERT_TRUE(store->set(fwu::trial_counter_variable(1)));
  HostFaults faults;
  for (const char* call : {"open", "write", "fsync", "rename"}) {
    faults.fail(call, ENOSPC, 1);
    const Status set = store->set(fwu::trial_counter_variable(2));
    ASSERT_FALSE(set) << call;
    EXPECT_EQ(set.error().number(), ENOSPC);
    EXPECT_EQ((*VariableStore::open(file))->all(), std::vector{fwu::trial_counter_variable(1)}) << call;
    EXPECT_EQ(**store->get(fwu::kGlobalVariable, fwu::kTrialCounterName), fwu::trial_counter_variable(1)) << call;
    EXPECT_FALSE(std::filesystem::exists(file + ".new")) << call;
  }
}

TEST_F(FwuFiles, more_variables_than_could_be_read_again_are_not_written) {
  const std::string file = path + ".var";
  auto store = *VariableStore::open(file);
  ASSERT_TRUE(store->set(fwu::trial_counter_variable(1)));
  const fwu::Variable large{fwu::kGlobalVariable, "Large", 7, std::vector<std::byte>(fwu::kVariableFileBytesMax)};
  const Status set = store->set(large);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().number(), ENOSPC);
  EXPECT_EQ((*VariableStore::open(file))->all(), std::vector{fwu::trial_counter_variable(1)});
  std::filesystem::resize_file(path, 2 * fwu::kVariableFileBytesMax);
  EXPECT_EQ(VariableStore::open(path).error().number(), EFBIG);
}

TEST_F(FwuFiles, a_link_to_variables_and_their_mode_stay) {
  const std::filesystem::path file = path + ".var", link = path + ".link";
  ASSERT_TRUE((*VariableStore::open(file))->set(fwu::trial_counter_variable(1)));
  std::filesystem::permissions(file, std::filesystem::perms{0640});
  std::filesystem::create_symlink(file.filename(), link);
  ASSERT_TRUE((*VariableStore::open(link))->set(fwu::trial_counter_variable(2)));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ((*VariableStore::open(file))->all(), std::vector{fwu::trial_counter_variable(2)});
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0640});
  std::filesystem::remove(file);
  EXPECT_EQ(VariableStore::open(link).error().number(), ENOENT) << "not one without variables";
}

TEST_F(FwuFiles, a_damaged_file_of_variables_is_not_taken_for_none) {
  const auto store = VariableStore::open(path);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().number(), EBADMSG);
}

TEST_F(FwuFiles, what_is_no_certificate_is_named) {
  const auto read = host::read_certificates(path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().number(), EINVAL);
  for (std::size_t bytes = 0; bytes < 64; ++bytes) {
    std::vector<std::byte> list(bytes, std::byte{0xff});
    EXPECT_TRUE(host::certificates_of_esl(list).empty());
  }
}

}  // namespace
}  // namespace vif::test
