// SPDX-License-Identifier: BSD-2-Clause
// A raw packet socket (packet(7)): whole Ethernet frames from and to one host interface. Deaf until bound with
// listen(). One thread at a time. Needs CAP_NET_RAW where the interface lives.
#pragma once

#include <cstdint>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"
#include "netstack/mac_address.hpp"

namespace vif::host {

// Which frames the interface takes for us beyond its own address and broadcast (PACKET_ADD_MEMBERSHIP).
struct Membership {
  enum class Of : std::uint8_t { group, promisc, allmulti, address };

  Of of{};
  net::MacAddress lladdr = {};  // of a group or an address

  friend auto operator<=>(const Membership&, const Membership&) = default;
};

class PacketSocket {
 public:
  // EPERM: the text names the capability and the way without it. Else socket(2)'s errors.
  static Result<PacketSocket> open();

  int fd() const { return fd_.get(); }

  // An option of level SOL_PACKET. `what` is for people: "cannot `what`: why". Errors: setsockopt(2)'s.
  template <class T>
  Status set(int option, const T& value, const char* what) {
    return set_bytes(option, &value, sizeof value, what);
  }

  // Makes frames go out of the interface; and frames come in, from now on. Errors: bind(2)'s, so ENODEV when it is
  // gone.
  Status attach(unsigned ifindex);
  Status listen(unsigned ifindex);

  // False: the host refuses, or the interface is gone. Ends with the socket.
  bool join(unsigned ifindex, const Membership& membership);
  void leave(unsigned ifindex, const Membership& membership);

  // What it has seen since it was last asked: `queued` for us to read, and `dropped` for want of room.
  struct Counts {
    std::uint64_t queued = 0, dropped = 0;
  };
  Counts take_counts();

 private:
  explicit PacketSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  Status set_bytes(int option, const void* value, std::size_t bytes, const char* what);
  Status bind_to(unsigned ifindex, std::uint16_t protocol);

  UniqueFd fd_;
};

}  // namespace vif::host
