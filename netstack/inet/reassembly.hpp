// SPDX-License-Identifier: BSD-2-Clause
// Puts fragments together again: RFC 791, 3.2 and RFC 8200, 4.5 alike. What overlaps is refused whole (RFC 5722), what
// waits is bounded, and the oldest gives way. No bytes are copied. Domain's thread.
#pragma once

#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/inet_data.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

class Reassembly {
 public:
  static constexpr std::size_t kDatagramsMax = 64;
  static constexpr std::size_t kFragmentsMax = 1024;          // of all datagrams; each keeps an mbuf
  static constexpr Time kTimeout = std::chrono::seconds(60);  // RFC 8200, 4.5; RFC 1122, 3.3.2: 60 to 120

  // Which packet a fragment is of, and where it belongs.
  struct Place {
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // IPv4 tells packets apart by it too; else 0
    std::size_t offset = 0;
    bool more = false;
    std::size_t end_max = 0;  // where the data of the largest packet would end
  };

  explicit Reassembly(Stack& stack);

  // Takes a fragment: `packet.payload` bytes of headers, then its part. When it was the last one missing: the whole
  // packet, with the first one's headers, which are the caller's to correct. Otherwise it waits or is counted.
  std::optional<Packet> add(const Place& place, Packet packet);

  void forget(const Interface& in);  // the interface goes
  std::size_t waiting() const { return waiting_; }

 private:
  struct Part {
    std::size_t offset, bytes;
    Packet packet;
  };
  struct Datagram {
    IpAddress src, dst;
    std::uint32_t id;
    std::uint8_t protocol;
    Time deadline;
    std::size_t end = SIZE_MAX;  // of the data, once the last fragment came
    bool refused = false;        // something overlapped: what still comes is dropped
    std::vector<Part> parts;     // ordered by offset
  };
  enum class Fit : std::uint8_t { fits, repeats, contradicts };

  std::size_t find_or_add(const Place& place, const Packet& packet);
  static Fit fit(const Datagram& datagram, const Place& place, std::size_t bytes);
  static bool is_whole(const Datagram& datagram);
  Packet join(Datagram datagram);
  void drop(std::size_t index, InetDrop why);
  void refuse(Datagram& datagram);
  void run_due();
  void arm();

  Stack& stack_;
  std::vector<Datagram> datagrams_;  // oldest first
  std::size_t waiting_ = 0;          // parts of all of them
  Callout due_;
};

}  // namespace vif::net::inet
