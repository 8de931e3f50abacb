// SPDX-License-Identifier: BSD-2-Clause
// Datagrams through the table.
#include "tests/hypercall/packetdrill/drill_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class DrillUdp : public Drill {
 protected:
  void say(std::string_view words, std::uint16_t from = kRemotePort) {
    arrive(ip4(kRemote, kStack, udp(kRemote, from, kStack, kStackPort, text(words)), {.protocol = 17}));
  }
  int bound() {
    const int fd = udp_socket();
    EXPECT_EQ(bind(fd, kStack, kStackPort), 0);
    return fd;
  }
  char bytes[100] = {};
};

TEST_F(DrillUdp, is_received_and_answered) {
  const int fd = bound();
  EXPECT_EQ(failed(t.recv(self, fd, bytes, 100, MSG_DONTWAIT)), EAGAIN);
  say("hello");
  EXPECT_EQ(poll(fd, POLLIN, 0), POLLIN);
  sockaddr_in from{};
  socklen_t from_bytes = sizeof from;
  auto* const address = reinterpret_cast<sockaddr*>(&from);
  ASSERT_EQ(t.recvfrom(self, fd, bytes, 100, 0, address, &from_bytes), 5);
  EXPECT_EQ(std::string(bytes, 5), "hello");
  EXPECT_EQ(ntohs(from.sin_port), kRemotePort);
  ASSERT_EQ(t.sendto(self, fd, "world", 5, 0, address, from_bytes), 5);
  EXPECT_EQ(cut(packet(), 28), text("world"));
}

TEST_F(DrillUdp, is_cut_to_what_was_asked_for) {
  const int fd = bound();
  say("hello");
  say("again");
  EXPECT_EQ(t.recv(self, fd, bytes, 2, MSG_PEEK | MSG_TRUNC), 5) << "its whole length";
  iovec piece{bytes, 2};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  EXPECT_EQ(t.recvmsg(self, fd, &message, 0), 2);
  EXPECT_EQ(message.msg_flags, MSG_TRUNC);
  EXPECT_EQ(t.read(self, fd, bytes, 100), 5);
  EXPECT_EQ(std::string(bytes, 5), "again");
}

TEST_F(DrillUdp, connected_hears_one_peer_only) {
  const int fd = bound();
  EXPECT_EQ(failed(t.send(self, fd, "x", 1, 0)), EDESTADDRREQ);
  EXPECT_EQ(failed(t.shutdown(self, fd, SHUT_WR)), ENOTCONN);
  ASSERT_EQ(connect(fd, kRemote, kRemotePort), 0);
  say("stranger", kRemotePort + 1);
  say("friend");
  EXPECT_EQ(t.read(self, fd, bytes, 100), 6);
  EXPECT_EQ(t.write(self, fd, "x", 1), 1);
  EXPECT_EQ(be16_at(packet(), 22), kRemotePort);
  EXPECT_EQ(failed(t.listen(self, fd, 1)), EOPNOTSUPP);
  EXPECT_EQ(failed(t.accept(self, fd, nullptr, nullptr)), EOPNOTSUPP);
}

TEST_F(DrillUdp, beyond_any_datagram_is_refused) {
  const int fd = bound();
  const Frame much(65'508);
  const sockaddr_in to = at(kRemote, 9);
  EXPECT_EQ(failed(t.sendto(self, fd, much.data(), much.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to)),
            EMSGSIZE);
}

TEST_F(DrillUdp, to_a_port_nobody_has_is_answered_by_icmp) {
  say("anybody?");
  const Frame error = packet();
  ASSERT_GE(error.size(), 28U);
  EXPECT_EQ(error[9], std::byte{1});
  EXPECT_EQ(error[20], std::byte{3}) << "destination unreachable (RFC 792)";
}

}  // namespace
