// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_udp.hpp"

#include <vector>

#include "netstack/lwip/lwip_headers.hpp"

namespace vif::net::lwip {

struct UdpSocket::Callbacks {
  static void received(void* self, udp_pcb*, pbuf* p, const ip_addr_t* address, u16_t port) {
    auto& socket = *static_cast<UdpSocket*>(self);
    const Endpoint from{from_lwip(*address), port};
    if (p->next == nullptr) {
      socket.events_.udp_received(socket, from, {static_cast<const std::byte*>(p->payload), p->len});
    } else {  // put together from fragments
      std::vector<std::byte> whole(p->tot_len);
      ::pbuf_copy_partial(p, whole.data(), p->tot_len, 0);
      socket.events_.udp_received(socket, from, whole);
    }
    ::pbuf_free(p);
  }
};

Result<std::unique_ptr<UdpSocket>> UdpSocket::open(LwipStack& stack, const Endpoint& at, UdpEvents& events) {
  const bool any = at.address == inet::kAny6;
  udp_pcb* const pcb = ::udp_new_ip_type(any ? IPADDR_TYPE_ANY : at.address.is_v4() ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
  if (pcb == nullptr) return fail(std::errc::no_buffer_space, "lwIP has no memory for a socket");
  std::unique_ptr<UdpSocket> socket(new UdpSocket(stack, pcb, events));
  const ip_addr_t address = to_lwip(at.address);
  if (const err_t error = ::udp_bind(pcb, any ? IP_ANY_TYPE : &address, at.port); error != ERR_OK) {
    return lwip_error(error, ("cannot use port " + std::to_string(at.port)).c_str());
  }
  ::udp_recv(pcb, Callbacks::received, socket.get());
  return socket;
}

UdpSocket::~UdpSocket() { ::udp_remove(pcb_); }

Status UdpSocket::send_to(const Endpoint& to, Bytes datagram) {
  if (datagram.size() > kDatagramBytesMax) {
    return fail(std::errc::message_size, "a datagram has at most " + std::to_string(kDatagramBytesMax) + " bytes");
  }
  const auto bytes = static_cast<u16_t>(datagram.size());
  pbuf* const p = ::pbuf_alloc(PBUF_TRANSPORT, bytes, PBUF_RAM);
  if (p == nullptr) return fail(std::errc::no_buffer_space, "lwIP has no memory for a datagram");
  std::memcpy(p->payload, datagram.data(), bytes);
  const ip_addr_t address = to_lwip(to.address);
  const err_t error = ::udp_sendto(pcb_, p, &address, to.port);
  ::pbuf_free(p);
  stack_.rearm();
  if (error != ERR_OK) return lwip_error(error, ("cannot send to " + to.address.to_string()).c_str());
  return {};
}

std::uint16_t UdpSocket::port() const { return pcb_->local_port; }

}  // namespace vif::net::lwip
