/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What packetdrill (google/packetdrill, gtests/net/packetdrill/packetdrill.h) asks of a shared object: one function,
 * which fills a table of 33 pointers, 264 bytes on a 64-bit host. The order is the ABI; names and types are ours. Each
 * entry takes `self` first and, but for what is said below, does what Linux's call of its name does: -1 and errno.
 *
 * Threads: a socket call that has to wait lets virtual time pass until it need not, when it comes from the thread that
 * called packetdrill_interface_init: three hours at most, then EAGAIN, as at an SO_RCVTIMEO. From any other thread it
 * sleeps until calls of others have brought what it waits for; they then let no time pass until that thread calls again
 * (a second on the host's clock, at most), so that gettimeofday is the first it should call. */
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct packetdrill_table {
  void* self;
  void (*free)(void* self); /* nothing of the table is called after it */
  int (*socket)(void* self, int family, int type, int protocol);
  int (*bind)(void* self, int fd, const struct sockaddr* address, socklen_t bytes);
  int (*listen)(void* self, int fd, int backlog);
  int (*accept)(void* self, int fd, struct sockaddr* address, socklen_t* bytes);
  int (*connect)(void* self, int fd, const struct sockaddr* address, socklen_t bytes);
  ssize_t (*read)(void* self, int fd, void* to, size_t bytes);
  ssize_t (*readv)(void* self, int fd, const struct iovec* to, int pieces);
  ssize_t (*recv)(void* self, int fd, void* to, size_t bytes, int flags);
  ssize_t (*recvfrom)(void* self, int fd, void* to, size_t bytes, int flags, struct sockaddr* address,
                      socklen_t* address_bytes);
  ssize_t (*recvmsg)(void* self, int fd, struct msghdr* message, int flags);
  ssize_t (*write)(void* self, int fd, const void* from, size_t bytes);
  ssize_t (*writev)(void* self, int fd, const struct iovec* from, int pieces);
  ssize_t (*send)(void* self, int fd, const void* from, size_t bytes, int flags);
  ssize_t (*sendto)(void* self, int fd, const void* from, size_t bytes, int flags, const struct sockaddr* address,
                    socklen_t address_bytes);
  ssize_t (*sendmsg)(void* self, int fd, const struct msghdr* message, int flags);
  int (*fcntl)(void* self, int fd, int command, ...);
  int (*ioctl)(void* self, int fd, unsigned long request, ...);
  int (*close)(void* self, int fd);
  int (*shutdown)(void* self, int fd, int how);
  int (*getsockopt)(void* self, int fd, int level, int name, void* value, socklen_t* bytes);
  int (*setsockopt)(void* self, int fd, int level, int name, const void* value, socklen_t bytes);
  int (*poll)(void* self, struct pollfd* fds, nfds_t count, int timeout_ms);
  /* An IP packet, without a link header, for the stack. EINVAL: no IP packet. EMSGSIZE: above the MTU, and not TCP. */
  int (*netdev_send)(void* self, const void* packet, size_t bytes);
  /* The next packet the stack sent: at most *bytes of it, its length, and when it left. Lets time pass until there is
   * one, three hours at most; then, as packetdrill would call again at once and for ever, 0 and a length of 0. */
  int (*netdev_receive)(void* self, void* packet, size_t* bytes, long long* time_us);
  int (*usleep)(void* self, useconds_t us);
  /* Each call takes a microsecond, as packetdrill reads it in a loop until an event is due. */
  int (*gettimeofday)(void* self, struct timeval* now, struct timezone* zone);
  int (*epoll_create)(void* self, int size);
  int (*epoll_ctl)(void* self, int epfd, int operation, int fd, struct epoll_event* event);
  int (*epoll_wait)(void* self, int epfd, struct epoll_event* events, int count, int timeout_ms);
  int (*pipe)(void* self, int fds[2]);
  ssize_t (*splice)(void* self, int in, loff_t* in_at, int out, loff_t* out_at, size_t bytes, unsigned flags);
};

/* `flags` (--so_flags) may be null: key=value, with commas in between; docs/packetdrill.md has the keys. One table a
 * process at a time; a wrong flag, or a second table, is told on standard error, and every call then fails with ENXIO.
 */
void packetdrill_interface_init(const char* flags, struct packetdrill_table* table);

#ifdef __cplusplus
}
#endif
