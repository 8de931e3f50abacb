// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/machine.hpp"

#include <algorithm>

#include "hypercall/packetdrill/gateway.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::host::packetdrill {
namespace {

using net::inet::IpAddress;

constexpr char kWire[] = "stack", kLinkstr[] = "sim:stack";
constexpr std::size_t kPacketBytesMax = 65'521;      // in a frame that lwIP can hold, whose lengths have 16 bits
constexpr Time kSettling = std::chrono::seconds(5);  // RFC 4862, 5.4 and RFC 4861, 6.3.7, with time to spare

// The first address of the network that is not ours.
IpAddress gateway_of(const net::inet::IpPrefix& ours) {
  const std::uint32_t network = ours.network().address.v4_number();
  const bool is_first = ours.address.v4_number() == network + 1;
  return IpAddress::v4(network + (is_first ? 2 : 1));
}

constexpr std::size_t kIp4Bytes = 20, kIp6Bytes = 40;

bool is_ip_packet(Bytes packet) {
  if (packet.empty()) return false;
  const unsigned version = std::to_integer<unsigned>(packet[0]) >> 4;
  return (version == 4 && packet.size() >= kIp4Bytes) || (version == 6 && packet.size() >= kIp6Bytes);
}

// As if a NIC had put it together out of segments of a packet of `mtu_bytes` each; nothing, when it is not TCP's.
net::Offload put_together(Bytes packet, std::uint32_t mtu_bytes) {
  constexpr std::size_t kIp4ProtocolAt = 9, kIp6NextAt = 6, kTcpBytes = 20;
  const bool is_v4 = std::to_integer<unsigned>(packet[0]) >> 4 == 4;
  if (packet[is_v4 ? kIp4ProtocolAt : kIp6NextAt] != std::byte{net::inet::kProtocolTcp}) return {};
  net::Offload offload;
  offload.gso_type = is_v4 ? net::Offload::kGsoTcp4 : net::Offload::kGsoTcp6;
  offload.gso_size = static_cast<std::uint16_t>(mtu_bytes - (is_v4 ? kIp4Bytes : kIp6Bytes) - kTcpBytes);
  return offload;
}

}  // namespace

Machine::Machine(const Settings& settings)
    : settings_(settings),
      host_(settings.seed),
      domain_(host_.add_domain({.pool = {.counts = {4096, 512, 256, 64}, .external = 0}})) {}

Result<std::unique_ptr<Machine>> Machine::create(const Settings& settings) {
  std::unique_ptr<Machine> machine(new Machine(settings));
  if (Status up = machine->set_up(); !up) return up.error();
  for (const Time end = machine->now() + kSettling; machine->now() < end;) machine->step(end);
  return machine;
}

Status Machine::set_up() {
  auto stack = net::lwip::LwipStack::create(domain_, {});
  if (!stack) return stack.error();
  stack_ = std::move(*stack);
  auto virtif = drv::Virtif::create(domain_, wires_, "virt", 0);
  if (!virtif) return virtif.error();
  virtif_ = std::move(*virtif);
  net::Ifnet& ifp = virtif_->ifnet();
  domain_.publish(ifp);
  if (Status ok = ifp.ioctl(net::SetLladdr{kOurMac}); !ok) return ok;
  if (Status ok = ifp.ioctl(net::SetLinkstr{kLinkstr}); !ok) return ok;
  if (Status ok = ifp.ioctl(net::SetMtu{settings_.mtu_bytes}); !ok) return ok;
  if (Status ok = stack_->attach(ifp); !ok) return ok;
  if (Status ok = stack_->add_address(ifp, settings_.local4); !ok) return ok;
  if (Status ok = stack_->add_address(ifp, settings_.local6); !ok) return ok;
  return stack_->set_gateway(ifp, gateway_of(settings_.local4));
}

Machine::~Machine() {
  stack_.reset();
  if (virtif_) domain_.withdraw(virtif_->ifnet());
}

bool Machine::is_ours(const IpAddress& address) const {
  return address.is_unspecified() || address == settings_.local4.address || address == settings_.local6.address;
}

IpAddress Machine::source_for(const IpAddress& peer) const {
  return peer.is_v4() ? settings_.local4.address : settings_.local6.address;
}

void Machine::settle() {
  do host_.settle();
  while (exchange());
}

// Takes what is on the wire. True: the gateway had something to say to it.
bool Machine::exchange() {
  sim::SimWire& wire = wires_.wire(kWire);
  wire.sent_slices.clear();
  wire.sent_offload.clear();
  bool answered = false;
  for (const sim::SimWire::Frame& frame : std::exchange(wire.sent, {})) {
    if (auto reply = answer(frame)) {
      wire.arrive(std::move(*reply));
      answered = true;
    }
    const Bytes packet = packet_in(frame);
    if (packet.empty() || sent_.size() == kSentMax) continue;
    sent_.push_back({{packet.begin(), packet.end()}, wall_us()});
  }
  return answered;
}

void Machine::step(Time end) {
  const Time due = std::min(domain_.next_deadline().value_or(end), end);
  host_.clock.set(std::max(host_.clock.now(), due));
  settle();
}

Status Machine::arrive(Bytes packet) {
  if (!is_ip_packet(packet)) return fail(std::errc::invalid_argument, "expected an IPv4 or IPv6 packet");
  net::Offload offload;
  if (packet.size() > settings_.mtu_bytes) {
    offload = put_together(packet, settings_.mtu_bytes);
    if (!offload.is_super_frame() || packet.size() > kPacketBytesMax) {
      return fail(std::errc::message_size, "the packet is above the MTU");
    }
  }
  wires_.wire(kWire).arrive(to_us(packet), offload);
  settle();
  return {};
}

std::optional<Machine::Sent> Machine::take() {
  if (sent_.empty()) return {};
  Sent oldest = std::move(sent_.front());
  sent_.pop_front();
  return oldest;
}

}  // namespace vif::host::packetdrill
