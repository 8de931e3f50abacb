// SPDX-License-Identifier: BSD-2-Clause
// The bytes of a message, as Linux 6.18 sends and takes them.
#include "services/connector/message.hpp"

#include <gtest/gtest.h>

#include "tests/services/connector/bytes.hpp"

namespace {

using namespace vif;
using namespace vif::cn;
using test::ByteVector;
using test::words;

const Message kListen{.id = kProcId, .seq = 0x1234, .ack = 0x5500, .payload = {}};

TEST(Message, is_twenty_bytes_and_its_payload_in_host_order) {
  const ByteVector payload = words(1);
  Message message = kListen;
  message.payload = payload;
  ByteVector expected = words(1, 1, 0x1234, 0x5500);
  const std::uint16_t length_and_flags[] = {4, 0};
  for (const std::byte b : std::as_bytes(std::span(length_and_flags))) expected.push_back(b);
  expected.insert(expected.end(), payload.begin(), payload.end());
  EXPECT_EQ(test::message_bytes(message), expected);
  const std::optional<Message> read = read_message(expected);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, kProcId);
  EXPECT_EQ(read->seq, 0x1234U);
  EXPECT_EQ(read->ack, 0x5500U);
  EXPECT_EQ(ByteVector(read->payload.begin(), read->payload.end()), payload);
}

TEST(Message, is_none_when_it_is_cut_off_anywhere) {
  const ByteVector payload = words(1, 2);
  Message message = kListen;
  message.payload = payload;
  const ByteVector whole = test::message_bytes(message);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_FALSE(read_message(Bytes(whole).first(bytes))) << bytes;
  }
}

TEST(Message, leaves_what_follows_it) {
  ByteVector two = test::message_bytes(kListen);
  const ByteVector second = test::message_bytes({.id = {7, 8}, .seq = 9, .payload = {}});
  two.insert(two.end(), second.begin(), second.end());
  const std::optional<Message> first = read_message(two);
  ASSERT_TRUE(first);
  const std::optional<Message> next = read_message(Bytes(two).subspan(first->bytes()));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, (CbId{7, 8}));
}

// Of the first datagram: what the reference observed of `send` and no answer.
TEST(Datagram, is_dropped_when_a_length_in_it_lies) {
  const ByteVector payload = words(1);
  Message message = kListen;
  message.payload = payload;
  const ByteVector good = test::datagram_bytes(message);
  ASSERT_TRUE(read_datagram(good));
  const auto with_netlink_bytes = [&](std::uint32_t bytes) {
    ByteVector changed = good;
    std::memcpy(changed.data(), &bytes, sizeof bytes);
    return changed;
  };
  EXPECT_FALSE(read_datagram(with_netlink_bytes(400))) << "nlmsg_len beyond the datagram";
  EXPECT_FALSE(read_datagram(with_netlink_bytes(20))) << "nlmsg_len below a cn_msg";
  EXPECT_FALSE(read_datagram(with_netlink_bytes(39))) << "nlmsg_len cuts the payload";
  EXPECT_FALSE(read_datagram(with_netlink_bytes(UINT32_MAX)));
  EXPECT_FALSE(read_datagram(Bytes(good).first(15)));
  ByteVector long_payload = good;
  long_payload[kNetlinkHeaderBytes + 16] = std::byte{64};
  EXPECT_FALSE(read_datagram(long_payload)) << "cn_msg.len beyond nlmsg_len";
  ByteVector trailing = good;
  trailing.resize(good.size() + 7);
  EXPECT_TRUE(read_datagram(trailing)) << "bytes behind the message do not matter";
}

TEST(Datagram, of_sixteen_thousand_and_some_bytes_is_the_largest) {
  const ByteVector most(kMessageBytesMax - kMessageHeaderBytes);
  Message message = kListen;
  message.payload = most;
  EXPECT_TRUE(read_datagram(test::datagram_bytes(message)));
  const ByteVector more(most.size() + 1);
  message.payload = more;
  EXPECT_FALSE(read_datagram(test::datagram_bytes(message)));
}

}  // namespace
