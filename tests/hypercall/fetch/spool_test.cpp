// SPDX-License-Identifier: BSD-2-Clause
// A fetched file on disk: it has no name, and is what came.
#include "hypercall/fetch/spool.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace vif::test {
namespace {

TEST(Spool, keeps_and_hashes_what_came_and_leaves_nothing) {
  std::string folder = (std::filesystem::temp_directory_path() / "vif-spool-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    auto spool = host::Spool::create(folder);
    ASSERT_TRUE(spool);
    EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nothing is left however the process ends";
    ASSERT_TRUE((*spool)->append(as_bytes(std::string_view("ab"))));
    ASSERT_TRUE((*spool)->append(as_bytes(std::string_view("c"))));
    EXPECT_EQ((*spool)->bytes(), 3U);
    std::ifstream file((*spool)->path());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "abc");
    EXPECT_EQ((*spool)->sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        << "FIPS 180-2, B.1";
  }
  std::filesystem::remove(folder);
  EXPECT_EQ(host::Spool::create(folder).error().number(), ENOENT);
}

}  // namespace
}  // namespace vif::test
