// SPDX-License-Identifier: BSD-2-Clause
// A TFTP client on the simulated host, and servers of all sorts: RFC 1350, RFC 1123, 4.2.3, RFC 2347 to 2349.
#include "netstack/inet/tftp_client.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;
using net::inet::TftpClient;
using net::inet::TftpRead;

constexpr std::uint16_t kTid = 40'000;  // the server's port of the transfer

Frame words(std::initializer_list<std::string_view> all) {
  Frame bytes;
  for (const std::string_view word : all) bytes = bytes + text(word) + hex("00");
  return bytes;
}
Frame data(std::uint16_t block, const Frame& bytes) { return be16(3) + be16(block) + bytes; }
Frame ack(std::uint16_t block) { return be16(4) + be16(block); }

class TftpHost : public InetRig, public net::inet::TftpEvents {
 protected:
  void SetUp() override {
    configure("192.0.2.1/24");
    know_peer();
    client.emplace(*inet, domain, *this);
  }
  void TearDown() override { client.reset(); }

  Status tftp_received(Bytes bytes) override {
    if (full) return fail(ENOSPC, "the disk is full");
    got.insert(got.end(), bytes.begin(), bytes.end());
    return {};
  }
  void tftp_ended(const Status& how) override {
    ++ended;
    error = error_of(how);
  }

  void start(TftpRead read = {}) {
    read.server = kPeer;
    read.file = "a.cap";
    ASSERT_EQ(error_of(client->start(read)), 0);
  }
  // The messages that left, and the port they went to last.
  std::vector<Frame> said() {
    std::vector<Frame> messages;
    for (const Frame& frame : sent()) {
      const std::size_t bytes = be16_at(frame, 34 + 4);
      ours = be16_at(frame, 34);
      to = be16_at(frame, 36);
      messages.push_back(cut(frame, 42, bytes - 8));
    }
    return messages;
  }
  Frame said_one() {
    const std::vector<Frame> messages = said();
    EXPECT_EQ(messages.size(), 1U);
    return messages.empty() ? Frame(4) : messages.front();
  }
  void says(const Frame& message, std::uint16_t from_port = kTid, const IpAddress& from = kPeer) {
    arrive_ip(ip4(from, kUs, udp(from, from_port, kUs, ours, message), {.protocol = 17}));
  }
  // Asked, and agreed on this.
  void agree(std::initializer_list<std::string_view> options, const TftpRead& read = {}) {
    start(read);
    EXPECT_EQ(be16_at(said_one(), 0), 1);
    says(be16(6) + words(options));
  }

  std::optional<TftpClient> client;
  Frame got;
  bool full = false;
  int ended = 0, error = -1;
  std::uint16_t ours = 0, to = 0;
};

TEST_F(TftpHost, reads_a_file_in_blocks_of_the_size_agreed_on) {
  start({.block_bytes = 600});
  EXPECT_EQ(said_one(), hex("0001") + words({"a.cap", "octet", "blksize", "600", "timeout", "1", "tsize", "0"}));
  EXPECT_EQ(to, 69);
  says(be16(6) + words({"blksize", "600", "tsize", "700"}));
  EXPECT_EQ(said_one(), ack(0));
  EXPECT_EQ(to, kTid) << "RFC 1350, 4: where the answer came from";
  says(data(1, counting(600)));
  EXPECT_EQ(said_one(), ack(1));
  says(data(2, counting(100)));
  EXPECT_EQ(said_one(), ack(2));
  EXPECT_EQ(got, counting(600) + counting(100));
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(error, 0);
  says(data(2, counting(100)));
  EXPECT_EQ(said_one(), ack(2)) << "the last acknowledgement was lost: the server waits for it";
  EXPECT_EQ(got.size(), 700U);
  EXPECT_EQ(ended, 1);
}

TEST_F(TftpHost, reads_from_a_server_without_options) {
  start();
  (void)said_one();
  says(data(1, counting(512)));
  EXPECT_EQ(said_one(), ack(1));
  says(data(2, {}));
  EXPECT_EQ(said_one(), ack(2)) << "a file of whole blocks ends with an empty one";
  EXPECT_EQ(got, counting(512));
  EXPECT_EQ(error, 0);
}

TEST_F(TftpHost, asks_without_options_when_a_server_refuses_them) {
  start();
  (void)said_one();
  says(be16(5) + be16(8) + words({"what?"}));
  EXPECT_EQ(said_one(), hex("0001") + words({"a.cap", "octet"}));
  EXPECT_EQ(to, 69);
  says(data(1, counting(3)), kTid + 1);
  EXPECT_EQ(error, 0);
}

TEST_F(TftpHost, sends_again_ever_more_slowly_and_gives_up) {
  start();
  EXPECT_EQ(said().size(), 1U);
  run(1s);
  EXPECT_EQ(said().size(), 1U);
  run(1900ms);
  EXPECT_EQ(said().size(), 0U);
  run(200ms);
  EXPECT_EQ(said().size(), 1U);
  run(26s);
  EXPECT_EQ(said().size(), 3U) << "after 4 s, and then each 8";
  EXPECT_EQ(ended, 0);
  run(1s);
  EXPECT_EQ(error, ETIMEDOUT);
  run(60s);
  EXPECT_EQ(said().size(), 0U);
  EXPECT_EQ(ended, 1);
}

TEST_F(TftpHost, acknowledges_a_block_again_and_takes_it_once) {
  agree({"blksize", "8"}, {.block_bytes = 8});
  (void)said_one();
  says(be16(6) + words({"blksize", "8"}));
  EXPECT_EQ(said_one(), ack(0));
  says(data(1, counting(8)));
  (void)said_one();
  says(data(1, counting(8)));
  EXPECT_EQ(said_one(), ack(1));
  says(data(2, counting(8)));
  (void)said_one();
  says(data(1, counting(8)));
  says(data(4, counting(8)));
  says(be16(6) + words({"blksize", "8"}));
  expect_silence();
  says(data(3, counting(1)));
  EXPECT_EQ(got, counting(8) + counting(8) + counting(1));
  EXPECT_EQ(error, 0);
  EXPECT_EQ(client->read().duplicates, 2U);
  EXPECT_EQ(client->read().ignored, 3U);
}

TEST_F(TftpHost, ignores_who_is_not_the_server) {
  agree({"tsize", "600"});
  (void)said_one();
  says(data(1, counting(3)), kTid + 1);
  says(be16(5) + be16(1) + words({"no"}), kTid, ip("192.0.2.3"));
  says(hex("0003"));
  expect_silence();
  EXPECT_EQ(ended, 0);
  EXPECT_EQ(client->read().ignored, 3U);
  says(data(1, counting(512)));
  says(data(2, counting(88)));
  EXPECT_EQ(error, 0);
}

TEST_F(TftpHost, says_what_the_server_says) {
  start();
  (void)said_one();
  says(be16(5) + be16(1) + words({"not here"}));
  expect_silence();
  EXPECT_EQ(error, ENOENT);
}

TEST_F(TftpHost, ends_at_once_where_nobody_serves) {
  start();
  const Frame asked = payload_of(sent_one());
  arrive_ip(ip4(kPeer, kUs, icmp(3, 3, 0, cut(asked, 0, 28))));
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(TftpHost, refuses_options_that_it_did_not_ask_for) {
  for (const auto& options : {words({"blksize", "1429"}), words({"blksize", "7"}), words({"timeout", "9"})}) {
    client.emplace(*inet, domain, *this);
    start();
    (void)said_one();
    says(be16(6) + options);
    EXPECT_EQ(cut(said_one(), 0, 4), be16(5) + be16(8));
    EXPECT_EQ(error, EPROTO);
  }
}

TEST_F(TftpHost, refuses_more_than_the_most) {
  agree({"tsize", "101"}, {.file_bytes_max = 100});
  EXPECT_EQ(cut(said_one(), 0, 4), be16(5) + be16(3));
  EXPECT_EQ(error, EFBIG);
  client.emplace(*inet, domain, *this);
  start({.file_bytes_max = 600});
  (void)said();
  says(data(1, counting(512)));
  says(data(2, counting(89)));
  EXPECT_EQ(error, EFBIG) << "a server that does not say how long the file is";
  EXPECT_EQ(got.size(), 512U);
}

TEST_F(TftpHost, refuses_a_file_that_is_not_as_long_as_the_server_said) {
  for (const std::size_t last : {std::size_t{87}, std::size_t{89}}) {
    client.emplace(*inet, domain, *this);
    agree({"tsize", "600"});
    says(data(1, counting(512)));
    says(data(2, counting(last)));
    EXPECT_EQ(error, EBADMSG);
    (void)said();
  }
  EXPECT_EQ(got.size(), 1024U);
}

TEST_F(TftpHost, refuses_a_block_larger_than_agreed_on) {
  agree({"blksize", "100"});
  says(data(1, counting(101)));
  EXPECT_EQ(error, EPROTO);
  EXPECT_TRUE(got.empty());
}

TEST_F(TftpHost, tells_the_server_when_the_bytes_cannot_be_kept) {
  full = true;
  agree({"blksize", "100"});
  (void)said_one();
  says(data(1, counting(100)));
  EXPECT_EQ(cut(said_one(), 0, 4), be16(5) + be16(3));
  EXPECT_EQ(error, ENOSPC);
}

TEST_F(TftpHost, goes_on_behind_block_65535) {
  agree({"blksize", "8"}, {.block_bytes = 8});
  for (std::uint32_t block = 1; block <= 0x1'0001; ++block) says(data(static_cast<std::uint16_t>(block), counting(8)));
  says(data(2, {}));
  EXPECT_EQ(error, 0);
  EXPECT_EQ(got.size(), 8U * 0x1'0001);
  (void)sent();
}

TEST_F(TftpHost, bounds_what_it_is_asked_for) {
  for (const TftpRead& read : {TftpRead{.server = kPeer}, TftpRead{.server = kPeer, .file = std::string(501, 'a')},
                               TftpRead{.server = kPeer, .file = std::string("a\0b", 3)},
                               TftpRead{.server = kPeer, .file = "a", .block_bytes = 7},
                               TftpRead{.server = kPeer, .file = "a", .block_bytes = 65'465}}) {
    EXPECT_EQ(error_of(client->start(read)), EINVAL);
  }
}

// A server that sends again what is not acknowledged within a second, behind a wire that loses one message in three,
// each way.
TEST_F(TftpHost, brings_a_file_home_over_a_wire_that_loses_a_third) {
  const Frame file = counting(20'000);
  start({.block_bytes = 512, .patience = 10min});
  std::uint32_t chance = 1, next = 1;
  const auto is_lost = [&] { return (chance = chance * 1'103'515'245 + 12'345) >> 16 & 0x7fff; };
  bool begun = false;
  for (int seconds = 0; seconds < 600 && ended == 0; ++seconds) {
    for (bool more = true; more && ended == 0;) {
      more = false;
      for (const Frame& message : said()) {
        if (is_lost() % 3 == 0) continue;
        begun = true;
        if (be16_at(message, 0) == 4 && be16_at(message, 2) == next) ++next, more = true;
      }
      const std::size_t at = std::size_t{512} * (next - 1);
      if (begun && more && is_lost() % 3 != 0) says(data(static_cast<std::uint16_t>(next), cut(file, at, 512)));
    }
    const std::size_t at = std::size_t{512} * (next - 1);
    if (begun && is_lost() % 3 != 0) says(data(static_cast<std::uint16_t>(next), cut(file, at, 512)));
    run(1s);
  }
  EXPECT_EQ(error, 0);
  EXPECT_EQ(got, file);
  EXPECT_GT(client->read().repeated, 0U);
  EXPECT_GT(client->read().duplicates, 0U);
}

}  // namespace
}  // namespace vif::test
