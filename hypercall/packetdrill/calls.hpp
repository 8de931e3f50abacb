// SPDX-License-Identifier: BSD-2-Clause
// The calls of the table, with Linux's checks and answers. Any thread; each holds the machine while it works, and lets
// go of it while it waits.
#pragma once

#include <poll.h>

#include <span>

#include "hypercall/packetdrill/descriptors.hpp"
#include "hypercall/packetdrill/waiting.hpp"

namespace vif::host::packetdrill {

// Where bytes go or come from; and whom to, or from whom.
struct Address {
  sockaddr* into = nullptr;
  socklen_t* bytes = nullptr;
};
struct Message {
  std::span<const iovec> pieces;
  int flags = 0;
};

class Calls {
 public:
  // ENXIO, EBUSY, and what the machine and the host say. The calling thread owns the time.
  static Result<std::unique_ptr<Calls>> create(const Settings& settings);

  // calls.cpp
  Answer socket(int family, int type, int protocol);
  Answer bind(int fd, const sockaddr* address, socklen_t bytes);
  Answer listen(int fd, int backlog);
  Answer accept(int fd, const Address& peer);
  Answer connect(int fd, const sockaddr* address, socklen_t bytes);
  Answer close(int fd);
  Answer shutdown(int fd, int how);
  Answer fcntl(int fd, int command, int argument);
  Answer ioctl(int fd, unsigned long request, void* argument);

  // transfer_calls.cpp
  Answer receive(int fd, const Message& into, const Address& from, int* flags_out);
  Answer send(int fd, const Message& from, const sockaddr* to, socklen_t to_bytes);

  // option_calls.cpp
  Answer getsockopt(int fd, int level, int name, void* value, socklen_t* bytes);
  Answer setsockopt(int fd, int level, int name, const void* value, socklen_t bytes);

  // time_calls.cpp
  Answer poll(pollfd* fds, nfds_t count, int timeout_ms);
  Answer netdev_send(const void* packet, std::size_t bytes);
  Answer netdev_receive(void* packet, std::size_t* bytes, long long* time_us);
  Answer usleep(useconds_t us);
  Answer gettimeofday(timeval* now);

 private:
  Calls(std::unique_ptr<Machine> machine, std::unique_ptr<Descriptors> descriptors)
      : machine_(std::move(machine)), descriptors_(std::move(descriptors)), waiting_(*machine_) {}

  // Does `work` until its answer is another than -EAGAIN, and waits between for one of `events`: unless `now`, and no
  // longer than `timeout`, after which the answer is -EAGAIN. EBADF: there is no such socket, or no longer.
  struct Wait {
    short events;
    bool now;
    std::optional<Time> timeout;
  };
  using Work = std::function<Answer(Socket&)>;
  Answer attempt(Waiting::Lock& lock, int fd, const Wait& wait, const Work& work);
  // Once, without waiting.
  Answer once(int fd, const Work& work);
  // What is to happen now has happened, and who waited for it knows.
  void settle(Waiting::Lock& lock);
  Answer count_events(std::span<pollfd> fds) const;

  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Descriptors> descriptors_;  // before the machine goes
  Waiting waiting_;
};

}  // namespace vif::host::packetdrill
