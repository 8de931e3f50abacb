// SPDX-License-Identifier: BSD-2-Clause
// Who hears the kernel's process events in connector_storm: a bridge of ours with a subscriber, and a socket as bare as
// can be. One thread.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>

#include "hypercall/connector/connector_bridge.hpp"
#include "tests/bench/rounds.hpp"

namespace vif::bench {

inline constexpr int kLargeBytes = 256 << 20, kSmallBytes = 212'992;  // the kernel's default

class Clock final : public ClockPort {
 public:
  Time now() override { return std::chrono::steady_clock::now().time_since_epoch(); }
  std::int64_t wall_ns() override { return 0; }
};

// A listener as bare as can be: a batch at a time, what is in it is only counted.
class BareSocket {
 public:
  BareSocket() {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = cn::kProcId.idx;
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kLargeBytes, sizeof kLargeBytes);
    if (!fd_ || ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      skip("there is no process connector here");
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      pieces_[i] = {bytes_[i].data(), bytes_[i].size()};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // All that waits, to each(bytes); how many.
  template <class Each>
  std::uint64_t drain(Each each) {
    for (std::uint64_t all = 0;;) {
      const int got = ::recvmmsg(fd_.get(), messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (got < 0 && errno == ENOBUFS) give_up("the witness lost some: give it more memory");
      if (got <= 0) return all;
      for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i)
        each(Bytes(bytes_[i].data(), messages_[i].msg_len));
      all += static_cast<std::uint64_t>(got);
    }
  }

 private:
  static constexpr std::size_t kBatch = 128;
  host::UniqueFd fd_{::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR)};
  std::array<std::array<std::byte, 256>, kBatch> bytes_;
  std::array<iovec, kBatch> pieces_;
  std::array<mmsghdr, kBatch> messages_{};
};

struct Live {
  explicit Live(int receive_bytes) {
    auto opened = host::ConnectorBridge::open(*proc, receive_bytes);
    if (!opened) skip(opened.error().text);
    bridge = std::move(*opened);
    if (!listener.join(cn::kProcId.idx)) give_up("a subscriber may not join");
    const auto listen = cn::write_request({.wishes = {}});
    bus.receive({.id = cn::kProcId, .payload = listen}, {.subscriber = &listener});
  }
  void drain() {
    if (!bridge->drain()) give_up("the bridge failed");
  }

  Clock clock;
  cn::Bus bus;
  std::unique_ptr<cn::ProcConnector> proc = std::move(*cn::ProcConnector::attach(bus, clock, {}));
  cn::Subscriber listener{bus, {.ring_bytes = 4 << 20}};
  std::unique_ptr<host::ConnectorBridge> bridge;
};

inline std::uint64_t read_all(cn::Subscriber& subscriber, const std::function<void(const cn::ProcEvent&)>& each = {}) {
  std::uint64_t lost = 0;
  for (;;) {
    const auto next = subscriber.ring().read();
    if (const auto* const some = std::get_if<cn::Lost>(&next)) lost += some->count;
    const auto* const record = std::get_if<cn::Record>(&next);
    if (std::holds_alternative<std::monostate>(next)) return lost;
    if (record == nullptr || !each) continue;
    const auto message = cn::read_message(record->bytes);
    if (const auto event = message ? cn::read_proc_event(message->payload) : std::nullopt) each(*event);
  }
}

// connector_wire.cpp: the bridge beside a bare loop, and records to another process.
void beside_a_bare_loop(int rounds);
void to_processes(int rounds);

}  // namespace vif::bench
