// SPDX-License-Identifier: BSD-2-Clause
// A network interface of this host: what rtnetlink(7) says of it, now and whenever it changes. For backends that stand
// on one. One thread at a time; needs no rights.
#pragma once

#include <cstdint>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "netstack/if_flags.hpp"
#include "netstack/mac_address.hpp"

namespace vif::host {

struct HostInterfaceState {
  std::string name;  // may change
  net::MacAddress lladdr;
  std::uint32_t mtu_bytes = 0;
  std::uint16_t type = 0;  // ARPHRD_*: ARPHRD_ETHER for what carries Ethernet frames
  bool up = false;         // IFF_UP: somebody wants it to run
  bool carrier = false;    // IFF_LOWER_UP
  bool gone = false;       // removed, or moved to another namespace; it does not come back

  net::LinkState link_state() const { return up && carrier && !gone ? net::LinkState::up : net::LinkState::down; }
  friend bool operator==(const HostInterfaceState&, const HostInterfaceState&) = default;
};

class HostInterface {
 public:
  // rtnetlink(7), for open(): of the calling thread's network namespace. Errors: the host's.
  static Result<UniqueFd> open_netlink();
  // In the namespace of the socket. ENODEV: there is none of this name; else the socket's errno.
  static Result<HostInterface> open(const std::string& name, UniqueFd netlink);
  // In the calling thread's.
  static Result<HostInterface> open(const std::string& name);

  unsigned index() const { return index_; }
  const HostInterfaceState& state() const { return state_; }

  // Readable when update() has something to read.
  int fd() const { return socket_.get(); }
  // Reads what has happened since, without waiting. True: state() is another.
  bool update();
  // Has the next update() hear of all as it is now: of a carrier the kernel else tells up to a second later. Errors:
  // the socket's.
  Status ask();

 private:
  HostInterface(UniqueFd socket, unsigned index) : socket_(std::move(socket)), index_(index) {}

  Status listen();
  bool receive();
  void read_message(Bytes message);
  void read_link(Bytes link);

  UniqueFd socket_;
  unsigned index_;
  HostInterfaceState state_;
};

}  // namespace vif::host
