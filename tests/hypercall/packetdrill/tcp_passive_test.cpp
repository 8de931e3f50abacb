// SPDX-License-Identifier: BSD-2-Clause
// Connections that come to the stack, and what is read and written on them.
#include <fcntl.h>

#include "tests/hypercall/packetdrill/tcp_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

TEST_F(DrillTcp, is_accepted_read_written_and_closed) {
  listener = listen_at(kStackPort);
  EXPECT_EQ(get(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(poll(listener, POLLIN, 0), 0);
  shake_hands();
  EXPECT_EQ(poll(listener, POLLIN, 0), POLLIN);
  sockaddr_in from{};
  socklen_t bytes = sizeof from;
  const int fd = t.accept(self, listener, reinterpret_cast<sockaddr*>(&from), &bytes);
  ASSERT_GE(fd, 3);
  EXPECT_EQ(bytes, sizeof from);
  EXPECT_EQ(ntohl(from.sin_addr.s_addr), kRemote.v4_number());
  EXPECT_EQ(ntohs(from.sin_port), kRemotePort);

  EXPECT_EQ(poll(fd, POLLIN | POLLOUT, 0), POLLOUT);
  say("hello");
  EXPECT_EQ(poll(fd, POLLIN, 0), POLLIN);
  int waiting = 0;
  EXPECT_EQ(t.ioctl(self, fd, FIONREAD, &waiting), 0);
  EXPECT_EQ(waiting, 5);
  EXPECT_EQ(read(fd, 2, MSG_PEEK), "he");
  EXPECT_EQ(read(fd, 2), "he");
  EXPECT_EQ(read(fd), "llo");
  EXPECT_EQ(t.write(self, fd, "world", 5), 5);
  Segment sent = segment();
  EXPECT_EQ(sent.data, text("world"));
  EXPECT_EQ(sent.ack, seq);
  EXPECT_EQ(t.ioctl(self, fd, TIOCOUTQ, &waiting), 0);
  EXPECT_EQ(waiting, 5);
  ack += 5;
  arrive(peer(kAck | kFin));
  ++seq;
  EXPECT_EQ(read(fd), "") << "the peer has ended";
  EXPECT_NE(poll(fd, POLLIN | POLLRDHUP, 0) & POLLRDHUP, 0);
  EXPECT_EQ(segment().ack, seq);
  ASSERT_EQ(t.close(self, fd), 0);
  sent = segment();
  EXPECT_NE(sent.flags & kFin, 0);
  EXPECT_EQ(failed(t.close(self, fd)), EBADF);
}

TEST_F(DrillTcp, reads_segments_that_were_put_together) {
  const int fd = establish();
  say(std::string(20'000, 'x'));
  EXPECT_EQ(read(fd, 30'000).size(), 20'000U);
  EXPECT_EQ(segment().ack, seq);
}

TEST_F(DrillTcp, listens_again_where_a_connection_waits_out_its_time) {
  const int fd = establish();
  ASSERT_EQ(t.close(self, fd), 0);
  EXPECT_NE(segment().flags & kFin, 0);
  ++ack;
  arrive(peer(kAck | kFin));
  EXPECT_EQ(segment().flags, kAck);
  ASSERT_EQ(t.close(self, listener), 0);
  const int hasty = tcp();
  ASSERT_EQ(bind(hasty, kStack, kStackPort), 0);
  EXPECT_EQ(failed(t.listen(self, hasty, 1)), EADDRINUSE);
  ASSERT_EQ(t.close(self, hasty), 0);
  const int patient = tcp();
  ASSERT_EQ(set(patient, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  ASSERT_EQ(bind(patient, kStack, kStackPort), 0);
  EXPECT_EQ(t.listen(self, patient, 1), 0);
}

TEST_F(DrillTcp, is_sent_again_after_virtual_seconds) {
  const int fd = establish();
  ASSERT_EQ(t.write(self, fd, "lost", 4), 4);
  EXPECT_EQ(segment().data, text("lost"));
  const long long first_us = sent_us;
  for (int times = 0; times < 3; ++times) {
    const long long before_us = sent_us;
    EXPECT_EQ(segment().data, text("lost"));
    EXPECT_GE(sent_us - before_us, 1'000'000) << "RFC 6298, 2.4";
  }
  EXPECT_GE(now_us(), first_us + 7'000'000) << "it doubles each time";
  EXPECT_EQ(get(fd, SOL_SOCKET, SO_ERROR), 0);
  tcp_info info{};
  socklen_t bytes = sizeof info;
  ASSERT_EQ(t.getsockopt(self, fd, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
  EXPECT_EQ(info.tcpi_state, TCP_ESTABLISHED);
  EXPECT_EQ(info.tcpi_unacked, 1U);
  EXPECT_EQ(info.tcpi_retransmits, 3);
}

TEST_F(DrillTcp, times_out_when_nobody_answers) {
  const int fd = establish();
  ASSERT_EQ(t.write(self, fd, "lost", 4), 4);
  char byte;
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), ETIMEDOUT);
  EXPECT_EQ(t.read(self, fd, &byte, 1), 0);
}

TEST_F(DrillTcp, waits_as_long_as_it_is_told_to) {
  const int fd = establish();
  char byte;
  EXPECT_EQ(failed(t.recv(self, fd, &byte, 1, MSG_DONTWAIT)), EAGAIN);
  const timeval timeout{2, 500'000};
  ASSERT_EQ(t.setsockopt(self, fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
  long long before_us = now_us();
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), EAGAIN);
  EXPECT_EQ(now_us(), before_us + 2'500'001);
  before_us = now_us();
  EXPECT_EQ(poll(fd, POLLIN, 300), 0);
  EXPECT_EQ(now_us(), before_us + 300'001);
  ASSERT_EQ(t.fcntl(self, fd, F_SETFL, O_NONBLOCK), 0);
  EXPECT_EQ(t.fcntl(self, fd, F_GETFL), O_RDWR | O_NONBLOCK);
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), EAGAIN);
}

TEST_F(DrillTcp, is_reset) {
  const int fd = establish();
  say("last words");
  arrive(peer(kRst));
  EXPECT_NE(poll(fd, POLLIN, 0) & POLLERR, 0);
  EXPECT_EQ(read(fd), "last words");
  char byte;
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), ECONNRESET);
  EXPECT_EQ(t.read(self, fd, &byte, 1), 0);
  EXPECT_EQ(failed(t.write(self, fd, "x", 1)), EPIPE);
}

TEST_F(DrillTcp, tells_of_a_reset_behind_what_came_before) {
  const int fd = establish();
  say("last words");
  arrive(peer(kRst));
  EXPECT_EQ(read(fd, 20, MSG_WAITALL), "last words");
  char byte;
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), ECONNRESET);
}

TEST_F(DrillTcp, resets_what_it_closes_unread_or_without_linger) {
  const int unread = establish();
  say("never read");
  ASSERT_EQ(t.close(self, unread), 0);
  EXPECT_NE(segment().flags & kRst, 0);
  shake_hands(kRemotePort + 1);
  const int at_once = t.accept(self, listener, nullptr, nullptr);
  const linger none{1, 0}, long_one{1, 5};
  EXPECT_EQ(failed(t.setsockopt(self, at_once, SOL_SOCKET, SO_LINGER, &long_one, sizeof long_one)), EOPNOTSUPP);
  ASSERT_EQ(t.setsockopt(self, at_once, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
  ASSERT_EQ(t.close(self, at_once), 0);
  EXPECT_NE(segment().flags & kRst, 0);
}

TEST_F(DrillTcp, ends_one_way_and_reads_on) {
  const int fd = establish();
  ASSERT_EQ(t.shutdown(self, fd, SHUT_WR), 0);
  EXPECT_NE(segment().flags & kFin, 0);
  EXPECT_EQ(failed(t.write(self, fd, "x", 1)), EPIPE);
  ++ack;
  say("still here");
  EXPECT_EQ(read(fd), "still here");
  EXPECT_EQ(failed(t.shutdown(self, fd, 3)), EINVAL);
}

TEST_F(DrillTcp, gathers_scatters_and_waits_for_all) {
  const int fd = establish();
  char one[] = "ab", two[] = "cde";
  const iovec out[] = {{one, 2}, {two, 3}};
  EXPECT_EQ(t.writev(self, fd, out, 2), 5);
  EXPECT_EQ(segment().data, text("abcde"));
  ack += 5;
  say("12345");
  char first[2], second[10];
  const iovec in[] = {{first, 2}, {second, 10}};
  EXPECT_EQ(t.readv(self, fd, in, 2), 5);
  EXPECT_EQ(std::string(first, 2) + std::string(second, 3), "12345");
  say("678");
  say("90");
  EXPECT_EQ(read(fd, 5, MSG_WAITALL), "67890");
  iovec piece{second, sizeof second};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  say("m");
  EXPECT_EQ(t.recvmsg(self, fd, &message, 0), 1);
}

TEST_F(DrillTcp, writes_more_than_the_window_when_it_is_opened) {
  const int fd = establish();
  ASSERT_EQ(t.fcntl(self, fd, F_SETFL, O_NONBLOCK), 0);
  const std::string much(200'000, 'x');
  const ssize_t first = t.write(self, fd, much.data(), much.size());
  ASSERT_GT(first, 0);
  EXPECT_EQ(failed(t.write(self, fd, much.data(), 1)), EAGAIN);
  EXPECT_EQ(poll(fd, POLLOUT, 0), 0);
  const Segment sent = segment();
  ack = sent.seq + static_cast<std::uint32_t>(sent.data.size());
  arrive(peer(kAck));
  EXPECT_EQ(poll(fd, POLLOUT, 0), POLLOUT);
}

TEST_F(DrillTcp, takes_options_and_gives_them_back) {
  const int fd = establish();
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_MAXSEG), 536) << "the peer named none (RFC 9293, 3.7.1)";
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_NODELAY, 5), 0);
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(set(fd, IPPROTO_IP, IP_TTL, 9), 0);
  EXPECT_EQ(set(fd, IPPROTO_IP, IP_TOS, 0x10), 0);
  EXPECT_EQ(failed(set(fd, IPPROTO_IP, IP_TTL, 256)), EINVAL);
  ASSERT_EQ(t.write(self, fd, "a", 1), 1);
  ASSERT_EQ(t.write(self, fd, "b", 1), 1);
  const Frame first = packet();
  EXPECT_EQ(first[8], std::byte{9});
  EXPECT_EQ(first[1], std::byte{0x10});
  EXPECT_EQ(segment().data, text("b")) << "it waited for an ACK";
}

TEST_F(DrillTcp, asks_whether_a_peer_is_there) {
  const int fd = establish();
  EXPECT_EQ(set(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60), 0);
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10), 0);
  EXPECT_EQ(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 2), 0);
  EXPECT_EQ(get(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(failed(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 0)), EINVAL);
  const long long before_us = now_us();
  EXPECT_EQ(segment().seq, ack - 1) << "RFC 1122, 4.2.3.6";
  EXPECT_GE(sent_us, before_us + 59'000'000);
  char byte;
  EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), ETIMEDOUT);
}

TEST_F(DrillTcp, is_refused_beyond_the_backlog) {
  listener = listen_at(kStackPort, 0);
  shake_hands();
  shake_hands(kRemotePort + 1);
  EXPECT_NE(segment().flags & kRst, 0);
  EXPECT_GE(t.accept(self, listener, nullptr, nullptr), 3);
}

}  // namespace
