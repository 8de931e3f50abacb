// SPDX-License-Identifier: BSD-2-Clause
// Somebody who takes records from a bus: the groups it is in, and a bounded ring of what waits for it. It leaves when
// it is destroyed: nobody counts it any more.
//
// Made, changed and destroyed on the bus's thread, and not from inside a ReaderPort; ring() may be read by one other
// thread.
#pragma once

#include "netstack/base/result.hpp"
#include "services/connector/record_ring.hpp"

namespace vif::cn {

class Bus;

// Told that a ring which was empty is not any more. On the bus's thread, in the middle of sending: take a note, no
// more.
class ReaderPort {
 public:
  virtual ~ReaderPort() = default;
  virtual void readable() = 0;
};

class VIF_API Subscriber {
 public:
  struct Config {
    std::size_t ring_bytes = 256 * 1024;
    bool privileged = true;        // may join any group (CAP_NET_ADMIN)
    ReaderPort* reader = nullptr;  // outlives the subscriber
  };

  explicit Subscriber(Bus& bus) : Subscriber(bus, Config{}) {}
  Subscriber(Bus& bus, const Config& config);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // EINVAL: groups are 1 to kGroupMax. EPERM: an unprivileged one may join the process events' group only (in kernel
  // mode: every odd one). Joining and leaving twice is harmless.
  Status join(std::uint32_t group);
  void leave(std::uint32_t group);
  bool is_in(std::uint32_t group) const { return group < 32 && (groups_ >> group & 1) != 0; }

  std::uint32_t port() const { return port_; }  // its address on the bus; never 0, not used again while the bus lives
  std::size_t slot() const { return slot_; }    // small; used again when it is gone
  RecordRing& ring() { return ring_; }
  const RecordRing& ring() const { return ring_; }
  bool privileged() const { return config_.privileged; }

  // For who sends, on the bus's thread. False: no room, lost.
  bool deliver(Bytes record, std::uint64_t sequence) {
    const bool fits = ring_.push(record, sequence);
    if (config_.reader != nullptr && ring_.was_empty()) config_.reader->readable();
    return fits;
  }
  void lose(std::uint64_t count) {
    ring_.lose(count);
    if (config_.reader != nullptr) config_.reader->readable();
  }

 private:
  Bus& bus_;
  const Config config_;
  RecordRing ring_;
  std::uint32_t port_;
  std::size_t slot_;
  std::uint32_t groups_ = 0;  // a bit each
};

}  // namespace vif::cn
