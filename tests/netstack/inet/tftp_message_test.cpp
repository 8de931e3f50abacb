// SPDX-License-Identifier: BSD-2-Clause
// TFTP messages, byte for byte as RFC 1350 and RFC 2347 to 2349 draw them.
#include "netstack/inet/tftp_message.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/inet/packets.hpp"

namespace vif::test {
namespace {

using net::inet::TftpError;
using net::inet::TftpReply;
using net::inet::TftpRequest;

Frame nul_ended(std::initializer_list<std::string_view> words) {
  Frame bytes;
  for (const std::string_view word : words) bytes = bytes + text(word) + hex("00");
  return bytes;
}

TEST(TftpMessage, asks_for_a_file_as_it_is) {
  EXPECT_EQ(TftpRequest{"a.cap"}.store(), hex("0001") + nul_ended({"a.cap", "octet"}));
  const TftpRequest with_options{"fw/a.cap", 1428, 2};
  EXPECT_EQ(with_options.store(),
            hex("0001") + nul_ended({"fw/a.cap", "octet", "blksize", "1428", "timeout", "2", "tsize", "0"}));
}

TEST(TftpMessage, reads_blocks_errors_and_options) {
  const Frame block = hex("0003 0102") + counting(9);
  const auto data = TftpReply::parse(block);
  ASSERT_TRUE(data && data->kind == TftpReply::Kind::data);
  EXPECT_EQ(data->block, 0x0102);
  EXPECT_EQ(Frame(data->data.begin(), data->data.end()), counting(9));
  const auto error = TftpReply::parse(hex("0005 0001") + nul_ended({"no \033[2J such file"}));
  ASSERT_TRUE(error && error->kind == TftpReply::Kind::error);
  EXPECT_EQ(error->error, TftpError::not_found);
  EXPECT_EQ(error->text, "no ?[2J such file") << "a server does not write to our terminal";
  EXPECT_EQ(TftpReply::parse(hex("0005 0000") + text("unended"))->text, "unended");
  const auto options = TftpReply::parse(hex("0006") + nul_ended({"BlkSize", "1024", "TSIZE", "70000"}));
  ASSERT_TRUE(options && options->kind == TftpReply::Kind::options);
  EXPECT_EQ(options->block_bytes, 1024U);
  EXPECT_EQ(options->file_bytes, 70000U);
  EXPECT_FALSE(options->timeout_s);
}

TEST(TftpMessage, refuses_what_no_server_says_to_a_reader) {
  for (const char* bytes : {"", "00", "0003", "000300", "0001 6100", "0004 0001", "0007 0000", "0300 0001"}) {
    EXPECT_FALSE(TftpReply::parse(hex(bytes))) << bytes;
  }
  for (const auto& words :
       {nul_ended({"blksize"}), nul_ended({"blksize", "x"}), nul_ended({"blksize", "-1"}), nul_ended({"blksize", ""}),
        nul_ended({"blksize", "8", "blksize", "9"}), nul_ended({"windowsize", "4"}),
        nul_ended({"tsize", "18446744073709551616"}), text("tsize") + hex("00") + text("5")}) {
    EXPECT_FALSE(TftpReply::parse(hex("0006") + words));
  }
}

}  // namespace
}  // namespace vif::test
