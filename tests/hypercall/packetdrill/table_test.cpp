// SPDX-License-Identifier: BSD-2-Clause
// What a table is, and what it says to calls that cannot be.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "tests/hypercall/packetdrill/drill_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

TEST(Table, is_that_of_packetdrill) {
  EXPECT_EQ(sizeof(packetdrill_table), 33 * sizeof(void*));
  EXPECT_EQ(offsetof(packetdrill_table, netdev_send), 24 * sizeof(void*));
  const Plugin plugin(nullptr);
  const auto* const entries = reinterpret_cast<void* const*>(&plugin.table);
  for (std::size_t i = 0; i < 33; ++i) EXPECT_NE(entries[i], nullptr) << "entry " << i;
}

TEST(Table, refuses_every_call_after_wrong_flags) {
  for (const char* flags :
       {"local4=nowhere", "local4=fd00::1/64", "local6=192.0.2.1/24", "mtu=12", "colour=blue", ","}) {
    testing::internal::CaptureStderr();
    Plugin plugin(flags);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("virtif-packetdrill: "), std::string::npos) << flags;
    EXPECT_EQ(failed(plugin.table.socket(plugin.table.self, AF_INET, SOCK_STREAM, 0)), ENXIO) << flags;
    timeval now;
    EXPECT_EQ(failed(plugin.table.gettimeofday(plugin.table.self, &now, nullptr)), ENXIO);
  }
}

TEST(Table, is_one_a_process_at_a_time) {
  const Plugin first(nullptr);
  testing::internal::CaptureStderr();
  const Plugin second(nullptr);
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(second.table.self, nullptr);
}

class TableErrors : public Drill {};

TEST_F(TableErrors, are_linuxs_for_what_is_no_socket) {
  char byte = 0;
  sockaddr_in to = at(kStack, 1);
  socklen_t bytes = sizeof to;
  auto* const address = reinterpret_cast<sockaddr*>(&to);
  for (const int fd : {-1, 0, 1'000'000}) {
    EXPECT_EQ(failed(t.bind(self, fd, address, bytes)), EBADF);
    EXPECT_EQ(failed(t.listen(self, fd, 1)), EBADF);
    EXPECT_EQ(failed(t.accept(self, fd, nullptr, nullptr)), EBADF);
    EXPECT_EQ(failed(t.connect(self, fd, address, bytes)), EBADF);
    EXPECT_EQ(failed(t.read(self, fd, &byte, 1)), EBADF);
    EXPECT_EQ(failed(t.write(self, fd, &byte, 1)), EBADF);
    EXPECT_EQ(failed(t.fcntl(self, fd, F_GETFL)), EBADF);
    EXPECT_EQ(failed(t.ioctl(self, fd, FIONREAD, nullptr)), EBADF);
    EXPECT_EQ(failed(t.close(self, fd)), EBADF);
    EXPECT_EQ(failed(t.shutdown(self, fd, SHUT_RD)), EBADF);
    EXPECT_EQ(failed(t.getsockopt(self, fd, SOL_SOCKET, SO_ERROR, &byte, &bytes)), EBADF);
    EXPECT_EQ(failed(t.setsockopt(self, fd, SOL_SOCKET, SO_ERROR, &byte, 1)), EBADF);
  }
  EXPECT_EQ(poll(1'000'000, POLLIN, 0), POLLNVAL);
}

TEST_F(TableErrors, are_linuxs_for_what_no_socket_can_be) {
  EXPECT_EQ(failed(t.socket(self, AF_UNIX, SOCK_STREAM, 0)), EAFNOSUPPORT);
  EXPECT_EQ(failed(t.socket(self, AF_INET, SOCK_RAW, 0)), ESOCKTNOSUPPORT);
  EXPECT_EQ(failed(t.socket(self, AF_INET, SOCK_STREAM, IPPROTO_UDP)), EPROTONOSUPPORT);
  const int fd = tcp();
  ASSERT_GE(fd, 3);
  EXPECT_EQ(failed(t.bind(self, fd, nullptr, 16)), EFAULT);
  sockaddr_in to = at(kStack, 1);
  EXPECT_EQ(failed(t.bind(self, fd, reinterpret_cast<sockaddr*>(&to), 3)), EINVAL);
  to.sin_family = AF_INET6;
  EXPECT_EQ(failed(t.bind(self, fd, reinterpret_cast<sockaddr*>(&to), sizeof to)), EAFNOSUPPORT);
  EXPECT_EQ(failed(bind(fd, kRemote, 80)), EADDRNOTAVAIL);
  ASSERT_EQ(bind(fd, kStack, 80), 0);
  EXPECT_EQ(failed(bind(fd, kStack, 81)), EINVAL);
  EXPECT_EQ(failed(bind(tcp(), net::inet::kAny4, 80)), EADDRINUSE);
  EXPECT_EQ(failed(t.accept(self, fd, nullptr, nullptr)), EINVAL);
  char bytes[4];
  EXPECT_EQ(failed(t.read(self, fd, bytes, 4)), ENOTCONN);
  EXPECT_EQ(failed(t.write(self, fd, bytes, 4)), EPIPE);
  EXPECT_EQ(failed(t.shutdown(self, fd, SHUT_WR)), ENOTCONN);
  EXPECT_EQ(failed(t.read(self, fd, nullptr, 4)), EFAULT);
  EXPECT_EQ(failed(t.readv(self, fd, nullptr, 1)), EFAULT);
  EXPECT_EQ(failed(t.recv(self, fd, bytes, 4, MSG_OOB)), EOPNOTSUPP);
  EXPECT_EQ(failed(t.send(self, fd, bytes, 4, MSG_OOB)), EOPNOTSUPP);
  EXPECT_EQ(failed(t.recvmsg(self, fd, nullptr, 0)), EFAULT);
  EXPECT_EQ(failed(t.sendmsg(self, fd, nullptr, 0)), EFAULT);
  EXPECT_EQ(failed(t.ioctl(self, fd, FIONREAD, nullptr)), EFAULT);
  EXPECT_EQ(failed(t.ioctl(self, fd, TIOCGWINSZ, nullptr)), ENOTTY);
  EXPECT_EQ(failed(t.fcntl(self, fd, F_GETLK, 0)), EINVAL);
}

TEST_F(TableErrors, say_what_is_not_there) {
  epoll_event event{};
  int fds[2];
  EXPECT_EQ(failed(t.epoll_create(self, 1)), ENOSYS);
  EXPECT_EQ(failed(t.epoll_ctl(self, 3, EPOLL_CTL_ADD, 4, &event)), ENOSYS);
  EXPECT_EQ(failed(t.epoll_wait(self, 3, &event, 1, 0)), ENOSYS);
  EXPECT_EQ(failed(t.pipe(self, fds)), ENOSYS);
  EXPECT_EQ(failed(t.splice(self, 3, nullptr, 4, nullptr, 1, 0)), ENOSYS);
  const int fd = tcp();
  EXPECT_EQ(failed(set(fd, SOL_SOCKET, SO_SNDBUF, 4096)), ENOPROTOOPT);
  EXPECT_EQ(failed(set(fd, IPPROTO_TCP, TCP_NODELAY + 1000, 1)), ENOPROTOOPT);
  EXPECT_EQ(failed(t.setsockopt(self, fd, SOL_SOCKET, SO_REUSEADDR, nullptr, 4)), EFAULT);
  EXPECT_EQ(failed(t.setsockopt(self, fd, SOL_SOCKET, SO_REUSEADDR, &fd, 1)), EINVAL);
  EXPECT_EQ(failed(t.getsockopt(self, fd, SOL_SOCKET, SO_ERROR, nullptr, nullptr)), EFAULT);
}

TEST_F(TableErrors, of_the_wire) {
  const Frame junk(60, std::byte{0});
  const Frame large = ip4(kRemote, kStack, Frame(1481), {.protocol = 17});
  std::size_t bytes = 1;
  EXPECT_EQ(failed(t.netdev_send(self, junk.data(), junk.size())), EINVAL);
  EXPECT_EQ(failed(t.netdev_send(self, junk.data(), 0)), EINVAL);
  EXPECT_EQ(failed(t.netdev_send(self, nullptr, 60)), EFAULT);
  EXPECT_EQ(failed(t.netdev_send(self, large.data(), large.size())), EMSGSIZE);
  EXPECT_EQ(failed(t.netdev_receive(self, nullptr, &bytes, &sent_us)), EFAULT);
}

TEST_F(TableErrors, of_numbers_closed_behind_its_back) {
  const int fd = tcp();
  ASSERT_EQ(::close(fd), 0) << "packetdrill does that to what a script has left open";
  const int theirs = ::open("/dev/null", O_RDONLY);
  ASSERT_EQ(theirs, fd);
  EXPECT_EQ(t.close(self, fd), 0);
  EXPECT_EQ(::close(theirs), 0) << "the file that has the number now was closed";
}

TEST_F(TableErrors, time_is_virtual) {
  const long long before = now_us();
  ASSERT_EQ(t.usleep(self, 3'600'000'000U), 0);
  EXPECT_EQ(now_us(), before + 3'600'000'000LL + 1) << "a microsecond for asking";
  EXPECT_TRUE(packet().empty()) << "nobody has anything to send";
}

}  // namespace
