// SPDX-License-Identifier: BSD-2-Clause
// Real files, clocks and chance: what the host refuses comes back as its errno, with the path.
#include "hypercall/linux_ports.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "tests/hypercall/host_limits.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class LinuxFiles : public testing::Test {
 protected:
  static Frame read_all(ByteSource& source) {
    Frame all, piece(1000);
    for (Result<std::size_t> n = source.read(piece); n && *n > 0; n = source.read(piece)) {
      all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
    }
    return all;
  }
  Frame content(const std::string& path) { return read_all(**files.open_source(path)); }
  void write(const std::string& path, const Frame& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  // The errno, with a text that names the path.
  template <class Stream>
  static int refused(const Result<Stream>& opened, const std::string& path) {
    if (opened) return 0;
    EXPECT_NE(opened.error().text.find(path), std::string::npos) << opened.error().text;
    return opened.error().number();
  }

  TempFolder folder;
  host::LinuxFiles files;
};

TEST_F(LinuxFiles, write_and_read_back) {
  const std::string path = folder / "a";
  {
    auto sink = files.create_sink(path);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->append(counting(3000)));
    ASSERT_TRUE((*sink)->append({}));
    ASSERT_TRUE((*sink)->append(hex("ff")));
  }
  EXPECT_EQ(content(path), counting(3000) + hex("ff"));
  ASSERT_TRUE(files.create_sink(path));
  EXPECT_TRUE(content(path).empty()) << "creating empties";
}

TEST_F(LinuxFiles, unpack_on_the_way) {
  // printf hello | gzip -n
  write(folder / "a", hex("1f8b0800000000000003cb48cdc9c9070086a6103605000000"));
  EXPECT_EQ(content(folder / "a"), hex("68656c6c6f"));
  // printf hello | zstd --no-check
  write(folder / "b", hex("28b52ffd005829000068656c6c6f"));
  EXPECT_EQ(content(folder / "b"), hex("68656c6c6f"));
}

TEST_F(LinuxFiles, refuse_what_is_missing_a_folder_or_no_path) {
  EXPECT_EQ(refused(files.open_source(folder / "absent"), "absent"), ENOENT);
  EXPECT_EQ(refused(files.open_source(folder.path), folder.path), EISDIR);
  EXPECT_EQ(refused(files.create_sink(folder.path), folder.path), EISDIR);
  EXPECT_EQ(refused(files.create_sink(folder / "no/such/file"), "no/such/file"), ENOENT);
  write(folder / "file", {});
  EXPECT_EQ(refused(files.open_source(folder / "file/below"), "below"), ENOTDIR);
  EXPECT_EQ(refused(files.open_source(std::string(5000, 'x')), "x"), ENAMETOOLONG);
  EXPECT_EQ(refused(files.open_source(""), ""), ENOENT);
}

TEST_F(LinuxFiles, refuse_what_the_user_may_not) {
  write(folder / "secret", counting(10));
  std::filesystem::permissions(folder / "secret", std::filesystem::perms::none);
  std::filesystem::create_directory(folder / "closed");
  std::filesystem::permissions(folder / "closed",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const NotRoot user;
  EXPECT_EQ(refused(files.open_source(folder / "secret"), "secret"), EACCES);
  EXPECT_EQ(refused(files.create_sink(folder / "secret"), "secret"), EACCES);
  EXPECT_EQ(refused(files.create_sink(folder / "closed/new"), "new"), EACCES);
}

TEST_F(LinuxFiles, report_that_no_descriptor_is_left) {
  VIF_NEEDS_DESCRIPTORS();
  write(folder / "a", {});
  const FewDescriptors none(0);
  EXPECT_EQ(refused(files.open_source(folder / "a"), "/a"), EMFILE);
  EXPECT_EQ(refused(files.create_sink(folder / "a"), "/a"), EMFILE);
  EXPECT_EQ(refused(files.do_not_wait(), "cannot watch"), EMFILE);
}

// A write that goes half way is taken back: the file ends where it ended.
TEST_F(LinuxFiles, append_all_or_nothing) {
  const std::string path = folder / "a";
  const SmallFiles small(1000);
  auto sink = files.create_sink(path);
  ASSERT_TRUE((*sink)->append(counting(600)));
  for (const std::size_t bytes : {401UL, 5000UL}) {
    const Status appended = (*sink)->append(counting(bytes));
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().number(), EFBIG) << appended.error().text;
    EXPECT_NE(appended.error().text.find(path), std::string::npos);
    EXPECT_EQ(content(path), counting(600));
  }
  EXPECT_TRUE((*sink)->append(counting(400))) << "goes on behind it";
  EXPECT_EQ(content(path), counting(600) + counting(400));
}

TEST_F(LinuxFiles, report_a_full_device) {
  auto sink = files.create_sink("/dev/full");
  ASSERT_TRUE(sink);
  EXPECT_EQ((*sink)->append(counting(10)).error().number(), ENOSPC);
}

TEST_F(LinuxFiles, read_from_a_pipe_in_the_pieces_that_come) {
  const std::string path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] {
    const host::UniqueFd pipe(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    for (std::byte byte : counting(500)) EXPECT_EQ(::write(pipe.get(), &byte, 1), 1);
  });
  EXPECT_EQ(content(path), counting(500));
  writer.join();
}

TEST_F(LinuxFiles, need_not_wait_for_an_idle_pipe) {
  const std::string path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  host::UniqueFd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(writer.get(), "vif0", 4), 4);
  const auto source = std::move(*files.open_source(path));
  const auto waited_for = files.do_not_wait();
  ASSERT_TRUE(waited_for);
  const auto is_worth_another_try = [&] {
    pollfd readable{*waited_for, POLLIN, 0};
    return ::poll(&readable, 1, 0) == 1;
  };
  Frame piece(4);
  EXPECT_EQ(*source->read(piece), 4U) << "what is there is read";
  for (int round = 0; round < 3; ++round) {
    const auto read = source->read(piece);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().number(), EAGAIN);
    EXPECT_FALSE(is_worth_another_try());
    ASSERT_EQ(::write(writer.get(), "12345678", 8), 8);
    EXPECT_TRUE(is_worth_another_try());
    files.heard();
    EXPECT_FALSE(is_worth_another_try()) << "told once";
    EXPECT_EQ(*source->read(piece), 4U);
    EXPECT_EQ(*source->read(piece), 4U);
  }
  ASSERT_FALSE(source->read(piece));
  writer = host::UniqueFd();
  EXPECT_TRUE(is_worth_another_try());
  EXPECT_EQ(*source->read(piece), 0U) << "the end is something, too";
  write(folder / "file", counting(7));
  EXPECT_EQ(content(folder / "file"), counting(7)) << "a file keeps nobody waiting";
  EXPECT_EQ(*(*files.open_source("/dev/zero"))->read(piece), 4U) << "nor what cannot be watched";
}

TEST_F(LinuxFiles, go_on_reading_what_was_removed_or_has_grown) {
  write(folder / "a", counting(3000));
  auto source = files.open_source(folder / "a");
  std::filesystem::remove(folder / "a");
  EXPECT_EQ(read_all(**source), counting(3000));

  write(folder / "b", counting(300));
  source = files.open_source(folder / "b");
  EXPECT_EQ(read_all(**source).size(), 300U);
  std::ofstream(folder / "b", std::ios::app) << "more";
  EXPECT_EQ(read_all(**source).size(), 4U);
}

TEST_F(LinuxFiles, know_one_file_under_two_names) {
  write(folder / "a", counting(10));
  write(folder / "b", counting(10));
  std::filesystem::create_hard_link(folder / "a", folder / "hard");
  std::filesystem::create_symlink(folder / "a", folder / "soft");
  for (const char* name : {"a", "./a", "hard", "soft"})
    EXPECT_TRUE(files.same_file(folder / "a", folder / name)) << name;
  EXPECT_FALSE(files.same_file(folder / "a", folder / "b"));
  EXPECT_FALSE(files.same_file(folder / "a", folder / "absent"));
  EXPECT_FALSE(files.same_file(folder / "absent", folder / "absent"));
}

TEST(LinuxClock, does_not_go_back) {
  host::LinuxClock clock;
  Time last{};
  for (int i = 0; i < 1000; ++i) {
    const Time now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.wall_ns(), 1'700'000'000'000'000'000) << "in this decade";
}

TEST(LinuxRandom, does_not_repeat) {
  host::LinuxRandom random;
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1000; ++i) numbers.insert(random.next());
  EXPECT_EQ(numbers.size(), 1000U);
}

}  // namespace
