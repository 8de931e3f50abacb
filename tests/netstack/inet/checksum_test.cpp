// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/checksum.hpp"

#include <gtest/gtest.h>

#include "hypercall/sim/sim_host.hpp"
#include "netstack/inet/seeded_hash.hpp"
#include "tests/netstack/inet/packets.hpp"

namespace vif::test {
namespace {

using net::checksum_after;
using net::checksum_of;
using net::InternetSum;
using net::inet::SeededHash;

TEST(InternetChecksum, is_that_of_rfc_1071_3) {
  const Frame example = hex("0001 f203 f4f5 f6f7");
  EXPECT_EQ(checksum_of(example), static_cast<std::uint16_t>(~0xddf2));
  EXPECT_EQ(checksum_of(Frame{}), 0xffff);
}

TEST(InternetChecksum, does_not_depend_on_how_the_bytes_are_cut) {
  host::sim::SimRandom random(7);
  net::MbufPool pool({.counts = {300, 0, 0, 0}, .external = 0});
  for (int round = 0; round < 500; ++round) {
    Frame bytes(random.next() % 300);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
    EXPECT_EQ(checksum_of(bytes), plain_checksum(bytes));
    if (bytes.empty()) continue;
    const net::MbufPtr packet = chain(pool, bytes, 1 + random.next() % 40);
    const std::size_t offset = random.next() % bytes.size();
    InternetSum sum;
    sum.add(*packet, offset);
    EXPECT_EQ(sum.checksum(), plain_checksum(cut(bytes, offset)));
  }
}

TEST(InternetChecksum, covers_the_pseudo_header_of_either_family) {
  for (const auto& [src, dst] : {std::pair{"192.0.2.1", "198.51.100.2"}, std::pair{"2001:db8::1", "fe80::1234"}}) {
    InternetSum sum;
    sum.add_pseudo_header(ip(src).wire(), ip(dst).wire(), 17, 0x1'0203);
    const bool v4 = ip(src).is_v4();
    const Frame by_hand =
        address_bytes(ip(src)) + address_bytes(ip(dst)) + (v4 ? be16(17) + be32(0x1'0203) : be32(0x1'0203) + be32(17));
    EXPECT_EQ(sum.checksum(), plain_checksum(by_hand));
  }
}

TEST(InternetChecksum, follows_a_changed_word_without_the_rest) {
  Frame bytes = hex("4500 0054 bfc6 4000 4001 0000 0a56000a 0a56000b");
  const std::uint16_t before = checksum_of(bytes);
  const std::uint16_t word = be16_at(bytes, 8);
  for (std::uint32_t now = 0; now <= 0xffff; now += 77) {
    put16(bytes, 8, static_cast<std::uint16_t>(now));
    EXPECT_EQ(checksum_after(before, word, static_cast<std::uint16_t>(now)), checksum_of(bytes)) << now;
  }
}

TEST(SipHash, is_that_of_its_paper) {
  // Appendix A: key 00..0f, message 00..0e.
  Frame message(15);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  const SeededHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  EXPECT_EQ(hash(message), 0xa129ca6149be45e5U);
}

}  // namespace
}  // namespace vif::test
