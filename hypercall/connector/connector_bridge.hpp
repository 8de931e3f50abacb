// SPDX-License-Identifier: BSD-2-Clause
// The running kernel's process events on a bus of ours: relayed with their numbers, with the codes that our threads
// registered put over them, and with every loss told in its place.
//
// On the bus's thread: wait until fd() is readable, then drain(). Goes before the connector it feeds.
#pragma once

#include "hypercall/connector/connector_socket.hpp"
#include "hypercall/connector/loss_ledger.hpp"
#include "netstack/base/api.hpp"
#include "services/connector/proc_connector.hpp"

namespace vif::host {

class VIF_API ConnectorBridge {
 public:
  // From its return on nothing is missed unsaid; who lived before is in the connector's tasks. Errors: the socket's
  // (connector_socket.hpp), and procfs's.
  static Result<std::unique_ptr<ConnectorBridge>> open(cn::ProcConnector& proc,
                                                       int receive_bytes = ConnectorSocket::kReceiveBytesDefault);

  int fd() const { return socket_.fd(); }
  // Relays what has come, at most `budget` events and the rest of a batch. True: perhaps there is more. Errors: the
  // host's, after which the bridge is of no use.
  Result<bool> drain(std::size_t budget = SIZE_MAX);

  std::uint64_t relayed() const { return relayed_; }
  std::uint64_t lost() const { return ledger_.told(); }
  Result<std::uint64_t> kernel_drops() const { return socket_.drops(); }

 private:
  ConnectorBridge(cn::ProcConnector& proc, ConnectorSocket socket) : proc_(proc), socket_(std::move(socket)) {}

  void take(Bytes datagram);
  Status settle();
  Status look_who_lives();
  void tell_lost(std::uint64_t count);

  cn::ProcConnector& proc_;
  ConnectorSocket socket_;
  LossLedger ledger_;
  std::uint64_t relayed_ = 0;
  bool overflowed_ = false;   // the kernel has dropped some, and we have not asked how many
  bool tasks_stale_ = false;  // some of what was lost may have been forks and exits
};

}  // namespace vif::host
