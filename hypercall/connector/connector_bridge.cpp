// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/connector_bridge.hpp"

#include "hypercall/connector/living_tasks.hpp"

namespace vif::host {

Result<std::unique_ptr<ConnectorBridge>> ConnectorBridge::open(cn::ProcConnector& proc, int receive_bytes) {
  Result<ConnectorSocket> socket = ConnectorSocket::open(receive_bytes);
  if (!socket) return std::move(socket).error();
  std::unique_ptr<ConnectorBridge> made(new ConnectorBridge(proc, std::move(*socket)));
  if (Status looked = made->look_who_lives(); !looked) return std::move(looked).error();
  return made;
}

Result<bool> ConnectorBridge::drain(std::size_t budget) {
  const std::uint64_t until = budget == SIZE_MAX ? UINT64_MAX : relayed_ + budget;
  while (relayed_ < until) {
    const Result<ConnectorSocket::Received> received = socket_.receive([this](Bytes datagram) { take(datagram); });
    if (!received) return received.error();
    if (*received == ConnectorSocket::Received::overflow) overflowed_ = true;
    if (*received != ConnectorSocket::Received::nothing) continue;
    if (!overflowed_ && !tasks_stale_) return false;
    if (Status settled = settle(); !settled) return std::move(settled).error();
  }
  return true;
}

void ConnectorBridge::take(Bytes datagram) {
  const std::optional<cn::Message> message = cn::read_datagram(datagram);
  if (!message || message->id != cn::kProcId) return;
  const std::optional<cn::ProcEvent> event = cn::read_proc_event(message->payload);
  if (!event) return;  // a kind of later kernels: its number will be missing
  tell_lost(ledger_.arrived(event->cpu, message->seq));
  if (event->what == cn::What::none) return;  // the kernel's answer to somebody, us perhaps
  if (event->what == cn::What::exec && proc_.follows_tasks()) {
    // The kernel tells no new name with an exec. Who has ended already keeps the one it had.
    if (const auto name = name_of(event->pid)) proc_.tasks().name(event->pid, *name);
  }
  proc_.relay(*event, message->seq);
  ++relayed_;
}

// All that waited is read, so that what the kernel dropped is missing here: it drops from an overflow until then.
Status ConnectorBridge::settle() {
  if (std::exchange(overflowed_, false)) {
    const Result<std::uint64_t> drops = socket_.drops();
    if (!drops) return drops.error();
    tell_lost(ledger_.dropped(*drops));
  }
  return std::exchange(tasks_stale_, false) ? look_who_lives() : Status();
}

// What happens while we look waits in the socket, and is told to the table again.
Status ConnectorBridge::look_who_lives() {
  if (!proc_.follows_tasks()) return {};
  const Result<std::vector<cn::Task>> living = living_tasks();
  if (!living) return living.error();
  proc_.tasks().reconcile(*living);
  return {};
}

void ConnectorBridge::tell_lost(std::uint64_t count) {
  if (count == 0) return;
  proc_.lose(count);
  tasks_stale_ = true;
}

}  // namespace vif::host
