// SPDX-License-Identifier: BSD-2-Clause
// Sockets come and go; and how a call waits.
#include "hypercall/packetdrill/calls.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <cstring>

#include "hypercall/packetdrill/addresses.hpp"

namespace vif::host::packetdrill {
namespace {

// What an ioctl of ours reads and writes: one int.
Answer put_int(void* to, std::size_t value) {
  if (to == nullptr) return -EFAULT;
  const int number = static_cast<int>(value);
  std::memcpy(to, &number, sizeof number);
  return 0;
}

}  // namespace

Result<std::unique_ptr<Calls>> Calls::create(const Settings& settings) {
  auto descriptors = Descriptors::create();
  if (!descriptors) return descriptors.error();
  auto machine = Machine::create(settings);
  if (!machine) return machine.error();
  return std::unique_ptr<Calls>(new Calls(std::move(*machine), std::move(*descriptors)));
}

void Calls::settle(Waiting::Lock& lock) {
  machine_->settle();
  waiting_.tell(lock);
}

Answer Calls::once(int fd, const Work& work) {
  Waiting::Lock lock = waiting_.enter();
  return attempt(lock, fd, {0, true, {}}, work);
}

Answer Calls::attempt(Waiting::Lock& lock, int fd, const Wait& wait, const Work& work) {
  Socket* const socket = descriptors_->find(fd);
  if (socket == nullptr) return -EBADF;
  const bool at_once = wait.now || socket->settings.nonblocking;
  std::optional<Time> deadline;
  if (wait.timeout) deadline = machine_->now() + *wait.timeout;
  const auto gone = [&] { return descriptors_->find(fd) != socket; };
  for (;;) {
    const Answer answer = work(*socket);
    settle(lock);
    if (answer != -EAGAIN || at_once) return answer;
    const auto ready = [&] { return gone() || (socket->events() & wait.events) != 0; };
    if (!waiting_.until(lock, deadline, ready)) return -EAGAIN;
    if (gone()) return -EBADF;
  }
}

Answer Calls::socket(int family, int type, int protocol) {
  Waiting::Lock lock = waiting_.enter();
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  const bool is_tcp = kind == SOCK_STREAM, is_udp = kind == SOCK_DGRAM;
  if (!is_tcp && !is_udp) return -ESOCKTNOSUPPORT;
  if (protocol != 0 && protocol != (is_tcp ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
  std::unique_ptr<Socket> made = is_tcp ? tcp_socket(*machine_, family) : udp_socket(*machine_, family);
  made->settings.nonblocking = (type & SOCK_NONBLOCK) != 0;
  return descriptors_->add(std::move(made));
}

Answer Calls::bind(int fd, const sockaddr* address, socklen_t bytes) {
  return once(fd, [&](Socket& socket) -> Answer {
    Endpoint to;
    if (const Answer read = read_address(address, bytes, socket.family, to); read != 0) return read;
    if (descriptors_->port_is_taken(socket, to)) return -EADDRINUSE;
    if (const Answer bound = socket.bind(to); bound != 0) return bound;
    socket.apply();
    return 0;
  });
}

Answer Calls::listen(int fd, int backlog) {
  return once(fd, [&](Socket& socket) { return socket.listen(backlog); });
}

Answer Calls::accept(int fd, const Address& peer) {
  Waiting::Lock lock = waiting_.enter();
  Socket* const listener = descriptors_->find(fd);
  if (listener == nullptr) return -EBADF;
  return attempt(lock, fd, {POLLIN, false, listener->settings.receive_timeout}, [&](Socket& socket) -> Answer {
    if (socket.type() != SOCK_STREAM) return -EOPNOTSUPP;
    if (!socket.listening()) return -EINVAL;
    if (peer.into != nullptr && peer.bytes == nullptr) return -EFAULT;
    std::unique_ptr<Socket> arrived = socket.accept();
    if (!arrived) return -EAGAIN;
    const Endpoint from = arrived->peer().value_or(Endpoint{});
    const Answer number = descriptors_->add(std::move(arrived));
    if (number >= 0) (void)write_address(from, socket.family, peer.into, peer.bytes);
    return number;
  });
}

Answer Calls::connect(int fd, const sockaddr* address, socklen_t bytes) {
  Waiting::Lock lock = waiting_.enter();
  Socket* const connecting = descriptors_->find(fd);
  if (connecting == nullptr) return -EBADF;
  bool begun = false;
  const Wait wait{POLLOUT | POLLERR | POLLHUP, false, connecting->settings.send_timeout};
  const Answer answer = attempt(lock, fd, wait, [&](Socket& socket) -> Answer {
    if (begun) return -socket.take_error();
    Endpoint to;
    if (const Answer read = read_address(address, bytes, socket.family, to); read != 0) return read;
    if (to.port == 0) return -EADDRNOTAVAIL;
    const Answer first = socket.connect(to);
    begun = first == -EINPROGRESS;
    return begun && !socket.settings.nonblocking ? -EAGAIN : first;
  });
  return answer == -EAGAIN ? -EINPROGRESS : answer;
}

Answer Calls::close(int fd) {
  Waiting::Lock lock = waiting_.enter();
  const Answer closed = descriptors_->close(fd);
  settle(lock);
  return closed;
}

Answer Calls::shutdown(int fd, int how) {
  return once(fd, [&](Socket& socket) { return socket.shutdown(how); });
}

Answer Calls::fcntl(int fd, int command, int argument) {
  return once(fd, [&](Socket& socket) -> Answer {
    switch (command) {
      case F_GETFL:
        return O_RDWR | (socket.settings.nonblocking ? O_NONBLOCK : 0);
      case F_SETFL:
        socket.settings.nonblocking = (argument & O_NONBLOCK) != 0;
        return 0;
      case F_GETFD:
        return FD_CLOEXEC;
      case F_SETFD:
        return 0;
      default:
        return -EINVAL;
    }
  });
}

Answer Calls::ioctl(int fd, unsigned long request, void* argument) {
  return once(fd, [&](Socket& socket) -> Answer {
    switch (request) {
      case FIONREAD:
        return socket.listening() ? -EINVAL : put_int(argument, socket.unread());
      case TIOCOUTQ: {
        const net::lwip::TcpInfo info = socket.info();
        return socket.listening() ? -EINVAL : put_int(argument, info.unsent + info.unacked);
      }
      case FIONBIO: {
        if (argument == nullptr) return -EFAULT;
        int on = 0;
        std::memcpy(&on, argument, sizeof on);
        socket.settings.nonblocking = on != 0;
        return 0;
      }
      default:
        return -ENOTTY;
    }
  });
}

}  // namespace vif::host::packetdrill
