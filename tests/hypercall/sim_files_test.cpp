// SPDX-License-Identifier: BSD-2-Clause
// The simulated files do what their script says, and only that: other tests trust them to fail.
#include "hypercall/sim/sim_files.hpp"

#include <gtest/gtest.h>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::sim::SimFile;
using host::sim::SimFiles;

// Everything up to the end or the error, `bytes` asked for at a time.
struct ReadAll {
  Frame bytes;
  int error = 0;
  std::size_t reads = 0;
};
ReadAll read_all(ByteSource& source, std::size_t bytes = 100) {
  ReadAll all;
  Frame piece(bytes);
  for (;;) {
    const Result<std::size_t> n = source.read(piece);
    ++all.reads;
    if (!n) all.error = n.error().number();
    if (!n || *n == 0) return all;
    all.bytes.insert(all.bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
  }
}
ReadAll read_all(SimFiles& files, const std::string& path) { return read_all(**files.open_source(path)); }

TEST(SimFiles, keeps_what_was_appended) {
  SimFiles files;
  {
    auto sink = files.create_sink("a");
    ASSERT_TRUE((*sink)->append(counting(300)));
    ASSERT_TRUE((*sink)->append(hex("ff")));
  }
  EXPECT_EQ(read_all(files, "a").bytes, counting(300) + hex("ff"));
  ASSERT_TRUE(files.create_sink("a"));
  EXPECT_TRUE(read_all(files, "a").bytes.empty()) << "creating empties";
}

TEST(SimFiles, refuses_with_the_scripted_errno_and_the_path) {
  SimFiles files;
  EXPECT_EQ(files.open_source("nobody").error().number(), ENOENT);
  files.file("closed").open_errno = EACCES;
  EXPECT_EQ(files.open_source("closed").error().number(), EACCES);
  EXPECT_EQ(files.create_sink("closed").error().number(), EACCES);
  EXPECT_NE(files.open_source("closed").error().text.find("closed"), std::string::npos);
  EXPECT_TRUE(files.same_file("closed", "closed"));
  EXPECT_FALSE(files.same_file("nobody", "nobody"));
}

TEST(SimFiles, reads_in_pieces_and_fails_at_an_offset) {
  SimFiles files;
  SimFile& file = files.file("a");
  file.bytes = counting(50);
  file.read_bytes_max = 7;
  EXPECT_EQ(read_all(files, "a").reads, 9U);
  for (const std::size_t at : {0UL, 1UL, 7UL, 49UL, 50UL}) {
    file.read_fails_at = at;
    const ReadAll all = read_all(files, "a");
    EXPECT_EQ(all.bytes.size(), at);
    EXPECT_EQ(all.error, EIO);
  }
}

TEST(SimFiles, grows_and_is_cut_between_reads) {
  SimFiles files;
  SimFile& file = files.file("a");
  file.bytes = counting(150);
  int reads = 0;
  file.on_read = [&](SimFile& f) {
    if (++reads == 3) f.bytes.resize(180);
  };
  EXPECT_EQ(read_all(files, "a").bytes.size(), 180U);
  reads = 0;
  file.on_read = [&](SimFile& f) {
    if (++reads == 2) f.bytes.resize(20);
  };
  EXPECT_EQ(read_all(files, "a").bytes.size(), 100U);
}

TEST(SimFiles, appends_all_or_nothing) {
  SimFiles files;
  files.file("a").capacity_bytes = 100;
  auto sink = files.create_sink("a");
  EXPECT_TRUE((*sink)->append(counting(60)));
  EXPECT_EQ((*sink)->append(counting(41)).error().number(), ENOSPC);
  EXPECT_EQ(files.file("a").bytes, counting(60));
  EXPECT_TRUE((*sink)->append(counting(40)));
}

}  // namespace
