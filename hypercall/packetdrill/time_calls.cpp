// SPDX-License-Identifier: BSD-2-Clause
// The calls that let time pass, and the wire, which is asked for packets in time.
#include <algorithm>
#include <cstring>

#include "hypercall/packetdrill/calls.hpp"

namespace vif::host::packetdrill {
namespace {

constexpr nfds_t kFdsMax = 1024;  // RLIMIT_NOFILE, as it usually is
constexpr std::int64_t kUsPerSecond = 1'000'000;

}  // namespace

Answer Calls::count_events(std::span<pollfd> fds) const {
  Answer count = 0;
  for (pollfd& entry : fds) {
    entry.revents = 0;
    if (entry.fd < 0) continue;
    const Socket* const socket = descriptors_->find(entry.fd);
    const int wanted = entry.events | POLLERR | POLLHUP;
    entry.revents = static_cast<short>(socket == nullptr ? POLLNVAL : socket->events() & wanted);
    if (entry.revents != 0) ++count;
  }
  return count;
}

Answer Calls::poll(pollfd* fds, nfds_t count, int timeout_ms) {
  Waiting::Lock lock = waiting_.enter();
  if (count > kFdsMax) return -EINVAL;
  if (fds == nullptr && count > 0) return -EFAULT;
  const std::span<pollfd> entries(fds, count);
  std::optional<Time> deadline;
  if (timeout_ms >= 0) deadline = machine_->now() + std::chrono::milliseconds(timeout_ms);
  (void)waiting_.until(lock, deadline, [&] { return count_events(entries) > 0; });
  return count_events(entries);
}

Answer Calls::netdev_send(const void* packet, std::size_t bytes) {
  Waiting::Lock lock = waiting_.enter();
  if (packet == nullptr) return -EFAULT;
  const Status arrived = machine_->arrive({static_cast<const std::byte*>(packet), bytes});
  waiting_.tell(lock);
  return arrived ? 0 : -arrived.error().number();
}

Answer Calls::netdev_receive(void* packet, std::size_t* bytes, long long* time_us) {
  Waiting::Lock lock = waiting_.enter();
  if (packet == nullptr || bytes == nullptr || time_us == nullptr) return -EFAULT;
  std::optional<Machine::Sent> sent;
  const auto take = [&] { return sent || (sent = machine_->take()); };
  if (!waiting_.pass(lock, machine_->now() + Waiting::kPatience, take)) {
    *bytes = 0;
    return 0;
  }
  *bytes = std::min(*bytes, sent->packet.size());
  std::memcpy(packet, sent->packet.data(), *bytes);
  *time_us = sent->time_us;
  return 0;
}

Answer Calls::usleep(useconds_t us) {
  Waiting::Lock lock = waiting_.enter();
  (void)waiting_.pass(lock, machine_->now() + std::chrono::microseconds(us), [] { return false; });
  return 0;
}

Answer Calls::gettimeofday(timeval* now) {
  Waiting::Lock lock = waiting_.enter();
  (void)waiting_.pass(lock, machine_->now() + std::chrono::microseconds(1), [] { return false; });
  const std::int64_t us = machine_->wall_us();
  if (now != nullptr) *now = {us / kUsPerSecond, us % kUsPerSecond};
  return 0;
}

}  // namespace vif::host::packetdrill
