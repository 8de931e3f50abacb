// SPDX-License-Identifier: BSD-2-Clause
// One socket, as a program sees it that never waits: -EAGAIN says that it would have to. Answers are Linux's, but where
// docs/packetdrill.md says otherwise. Whoever holds the machine (waiting.hpp).
#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <vector>

#include "hypercall/packetdrill/answer.hpp"
#include "hypercall/packetdrill/machine.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::host::packetdrill {

using net::lwip::Endpoint;

// What setsockopt() sets of any socket.
struct SocketSettings {
  bool nonblocking = false;
  bool reuse_address = false;
  bool reset_on_close = false;  // SO_LINGER for no time at all
  std::optional<Time> receive_timeout, send_timeout;
  net::lwip::TcpOptions tcp;  // UDP has none of it
};

// What a receiving call does beyond taking the next bytes.
struct ReceiveAs {
  bool peek = false;
  bool whole_length = false;  // MSG_TRUNC: the datagram's length, also when less was asked for
};
struct Received {
  std::optional<Endpoint> from;
  bool truncated = false;
};

class Socket {
 public:
  Socket(Machine& machine_in, int family_in) : machine(machine_in), family(family_in) {}
  virtual ~Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  virtual int type() const = 0;  // SOCK_STREAM or SOCK_DGRAM
  virtual Answer listen(int backlog) = 0;
  virtual std::unique_ptr<Socket> accept() = 0;  // null: -EAGAIN, when it listens
  virtual Answer connect(const Endpoint& to) = 0;
  virtual Answer receive(MutBytes into, const ReceiveAs& as, Received& received) = 0;
  virtual Answer send(Bytes bytes, const std::optional<Endpoint>& to) = 0;
  virtual Answer shutdown(int how) = 0;
  virtual short events() const = 0;        // POLLIN and so on, as poll() would report them
  virtual std::size_t unread() const = 0;  // bytes, of UDP of the next datagram
  virtual bool listening() const { return false; }
  virtual net::lwip::TcpInfo info() const { return {}; }
  virtual void apply() {}  // the settings have changed

  // EINVAL: it has an address. EADDRNOTAVAIL: not ours. The port may not be another's: see Descriptors.
  Answer bind(const Endpoint& to);
  bool bound() const { return local_.port != 0; }
  virtual Endpoint local() const { return local_; }
  const std::optional<Endpoint>& peer() const { return peer_; }
  int take_error() { return std::exchange(error_, 0); }  // SO_ERROR
  bool has_error() const { return error_ != 0; }

  Machine& machine;
  const int family;  // AF_INET or AF_INET6
  SocketSettings settings;

 protected:
  Endpoint any() const { return {family == AF_INET ? net::inet::kAny4 : net::inet::kAny6, 0}; }

  Endpoint local_ = any();
  std::optional<Endpoint> peer_;
  int error_ = 0;
};

std::unique_ptr<Socket> tcp_socket(Machine& machine, int family);
std::unique_ptr<Socket> udp_socket(Machine& machine, int family);

}  // namespace vif::host::packetdrill
