// SPDX-License-Identifier: BSD-2-Clause
// The C side: fills the table, turns answers into -1 and errno, and lets no exception through.
#include <cstdarg>
#include <cstdio>
#include <new>

#include "hypercall/packetdrill/calls.hpp"
#include "hypercall/packetdrill/table.h"

namespace vif::host::packetdrill {
namespace {

template <class T, class Work>
T guarded(void* self, const Work& work) noexcept {
  Answer answer = -ENXIO;  // there is no machine: packetdrill_interface_init said why
  if (self != nullptr) {
    try {
      answer = work(*static_cast<Calls*>(self));
    } catch (const std::bad_alloc&) {
      answer = -ENOMEM;
    } catch (...) {
      answer = -EIO;
    }
  }
  if (answer >= 0) return static_cast<T>(answer);
  errno = static_cast<int>(-answer);
  return -1;
}

// An entry that does what the method of Calls does.
template <auto kMethod>
struct Plain;
template <class... Args, Answer (Calls::*kMethod)(Args...)>
struct Plain<kMethod> {
  static int call(void* self, Args... args) {
    return guarded<int>(self, [&](Calls& calls) { return (calls.*kMethod)(args...); });
  }
};

ssize_t receive(void* self, int fd, const Message& into, const Address& from, int* flags_out) {
  return guarded<ssize_t>(self, [&](Calls& calls) { return calls.receive(fd, into, from, flags_out); });
}
ssize_t send(void* self, int fd, const Message& from, const sockaddr* to, socklen_t to_bytes) {
  return guarded<ssize_t>(self, [&](Calls& calls) { return calls.send(fd, from, to, to_bytes); });
}

ssize_t refuse(int number) {
  errno = number;
  return -1;
}

// read, recv and recvfrom; and write, send and sendto: each knows more than the one before.
struct ReceiveRest {
  int flags = 0;
  sockaddr* address = nullptr;
  socklen_t* address_bytes = nullptr;
};
template <class... Rest>
ssize_t take(void* self, int fd, void* to, size_t bytes, Rest... given) {
  const iovec piece{to, bytes};
  const ReceiveRest rest{given...};
  return receive(self, fd, {{&piece, 1}, rest.flags}, {rest.address, rest.address_bytes}, nullptr);
}
struct SendRest {
  int flags = 0;
  const sockaddr* address = nullptr;
  socklen_t address_bytes = 0;
};
template <class... Rest>
ssize_t give(void* self, int fd, const void* from, size_t bytes, Rest... given) {
  const iovec piece{const_cast<void*>(from), bytes};  // only read: a writev has the same type
  const SendRest rest{given...};
  return send(self, fd, {{&piece, 1}, rest.flags}, rest.address, rest.address_bytes);
}

ssize_t readv(void* self, int fd, const iovec* to, int pieces) {
  if (pieces < 0) return refuse(EINVAL);
  if (to == nullptr && pieces > 0) return refuse(EFAULT);
  return receive(self, fd, {{to, static_cast<std::size_t>(pieces)}, 0}, {}, nullptr);
}

ssize_t recvmsg(void* self, int fd, msghdr* message, int flags) {
  if (message == nullptr || (message->msg_iov == nullptr && message->msg_iovlen > 0)) return refuse(EFAULT);
  auto* const address = static_cast<sockaddr*>(message->msg_name);
  const Message into{{message->msg_iov, message->msg_iovlen}, flags};
  message->msg_controllen = 0;
  return receive(self, fd, into, {address, &message->msg_namelen}, &message->msg_flags);
}

ssize_t writev(void* self, int fd, const iovec* from, int pieces) {
  if (pieces < 0) return refuse(EINVAL);
  if (from == nullptr && pieces > 0) return refuse(EFAULT);
  return send(self, fd, {{from, static_cast<std::size_t>(pieces)}, 0}, nullptr, 0);
}

ssize_t sendmsg(void* self, int fd, const msghdr* message, int flags) {
  if (message == nullptr || (message->msg_iov == nullptr && message->msg_iovlen > 0)) return refuse(EFAULT);
  if (message->msg_controllen > 0) return refuse(EOPNOTSUPP);
  const Message from{{message->msg_iov, message->msg_iovlen}, flags};
  return send(self, fd, from, static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
}

int accept(void* self, int fd, sockaddr* address, socklen_t* bytes) {
  return guarded<int>(self, [&](Calls& calls) { return calls.accept(fd, {address, bytes}); });
}

int fcntl(void* self, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const int argument = va_arg(arguments, int);
  va_end(arguments);
  return guarded<int>(self, [&](Calls& calls) { return calls.fcntl(fd, command, argument); });
}

int ioctl(void* self, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return guarded<int>(self, [&](Calls& calls) { return calls.ioctl(fd, request, argument); });
}

int gettimeofday(void* self, timeval* now, struct timezone*) {
  return guarded<int>(self, [&](Calls& calls) { return calls.gettimeofday(now); });
}

template <class Returned, class... Args>
Returned missing(void*, Args...) {
  return static_cast<Returned>(refuse(ENOSYS));
}

void free(void* self) { delete static_cast<Calls*>(self); }

Calls* create(const char* flags) {
  const auto settings = Settings::parse(flags == nullptr ? "" : flags);
  auto calls = settings ? Calls::create(*settings) : Result<std::unique_ptr<Calls>>(settings.error());
  if (calls) return calls->release();
  std::fprintf(stderr, "virtif-packetdrill: %s\n", calls.error().text.c_str());
  return nullptr;
}

packetdrill_table table_of(Calls* calls) {
  return {.self = calls,
          .free = free,
          .socket = Plain<&Calls::socket>::call,
          .bind = Plain<&Calls::bind>::call,
          .listen = Plain<&Calls::listen>::call,
          .accept = accept,
          .connect = Plain<&Calls::connect>::call,
          .read = take,
          .readv = readv,
          .recv = take,
          .recvfrom = take,
          .recvmsg = recvmsg,
          .write = give,
          .writev = writev,
          .send = give,
          .sendto = give,
          .sendmsg = sendmsg,
          .fcntl = fcntl,
          .ioctl = ioctl,
          .close = Plain<&Calls::close>::call,
          .shutdown = Plain<&Calls::shutdown>::call,
          .getsockopt = Plain<&Calls::getsockopt>::call,
          .setsockopt = Plain<&Calls::setsockopt>::call,
          .poll = Plain<&Calls::poll>::call,
          .netdev_send = Plain<&Calls::netdev_send>::call,
          .netdev_receive = Plain<&Calls::netdev_receive>::call,
          .usleep = Plain<&Calls::usleep>::call,
          .gettimeofday = gettimeofday,
          .epoll_create = missing,
          .epoll_ctl = missing,
          .epoll_wait = missing,
          .pipe = missing,
          .splice = missing};
}

}  // namespace
}  // namespace vif::host::packetdrill

extern "C" VIF_API void packetdrill_interface_init(const char* flags, packetdrill_table* table) {
  using namespace vif::host::packetdrill;
  if (table == nullptr) return;
  Calls* calls = nullptr;
  try {
    calls = create(flags);
  } catch (...) {
    std::fputs("virtif-packetdrill: out of memory\n", stderr);
  }
  *table = table_of(calls);
}
