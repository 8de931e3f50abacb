// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/udp.hpp"

#include <algorithm>

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"
#include "netstack/segmenter.hpp"

namespace vif::net::inet {
namespace {

// How closely a socket bound to `bound` fits what is sent to `to`; 0: not at all.
int match(const IpAddress& bound, const IpAddress& to) {
  if (bound == to) return 3;
  if (bound == kAny4) return to.is_v4() ? 2 : 0;
  return bound == kAny6 ? 1 : 0;
}

}  // namespace

Udp::~Udp() { assert(sockets_.empty() && "close the sockets before their Inet"); }

std::vector<UdpSocket*>::iterator Udp::first_on(std::uint16_t port) {
  return std::lower_bound(sockets_.begin(), sockets_.end(), port,
                          [](const UdpSocket* socket, std::uint16_t wanted) { return socket->port() < wanted; });
}

// Two may share a port when their addresses or their interfaces keep them apart, or one is more particular.
bool Udp::is_taken(const UdpBind& wanted) {
  for (auto at = first_on(wanted.port); at != sockets_.end() && (*at)->port() == wanted.port; ++at) {
    if ((*at)->bound_.address == wanted.address && (*at)->bound_.only == wanted.only) return true;
  }
  return false;
}

// From a random one on (RFC 6056, 3.3.1). 0: none is free.
std::uint16_t Udp::free_port(UdpBind wanted) {
  constexpr std::uint32_t kPorts = 65'536U - kEphemeralFirst;
  const auto start = static_cast<std::uint32_t>(stack_.domain.random().next() % kPorts);
  for (std::uint32_t i = 0; i < kPorts; ++i) {
    wanted.port = static_cast<std::uint16_t>(kEphemeralFirst + (start + i) % kPorts);
    const auto at = first_on(wanted.port);
    if (at == sockets_.end() || (*at)->port() != wanted.port) return wanted.port;
  }
  return 0;
}

Result<std::unique_ptr<UdpSocket>> Udp::open(const UdpBind& wanted) {
  UdpBind bound = wanted;
  const bool any = wanted.address.is_unspecified(), group = wanted.address.is_multicast();
  if (!any && !group && stack_.owner_of(wanted.address, stack_.find(wanted.only)) == nullptr) {
    return fail(std::errc::address_not_available, wanted.address.to_string() + " is not an address of ours");
  }
  if (wanted.only != nullptr && stack_.find(wanted.only) == nullptr) {
    return fail(ENXIO, wanted.only->name() + " is not attached to this stack");
  }
  if (bound.port == 0) bound.port = free_port(bound);
  if (sockets_.size() == kSocketsMax || bound.port == 0) {
    return fail(std::errc::no_buffer_space, "all " + std::to_string(kSocketsMax) + " sockets are open");
  }
  if (is_taken(bound)) {
    return fail(std::errc::address_in_use,
                "UDP port " + std::to_string(bound.port) + " is taken: close its socket first");
  }
  std::unique_ptr<UdpSocket> socket(new UdpSocket(stack_, bound));
  sockets_.insert(first_on(bound.port), socket.get());
  return socket;
}

// The most particular one.
UdpSocket* Udp::find(const IpAddress& to, std::uint16_t port, const Ifnet* in) {
  UdpSocket* best = nullptr;
  int best_match = 0;
  for (auto at = first_on(port); at != sockets_.end() && (*at)->port() == port; ++at) {
    const UdpBind& bound = (*at)->bound_;
    if (bound.only != nullptr && bound.only != in) continue;
    const int address_match = match(bound.address, to);
    const int both = address_match == 0 ? 0 : address_match * 2 + (bound.only != nullptr ? 1 : 0);
    if (both > best_match) best = *at, best_match = both;
  }
  return best;
}

void Udp::input(Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t there = packet.m->pkthdr.len - packet.payload;
  if (there < kUdpHeaderBytes) return count.drop(InetDrop::malformed);
  std::array<std::byte, kUdpHeaderBytes> header;
  m_copydata(*packet.m, packet.payload, header);
  const std::uint16_t from_port = load_be16(header.data()), port = load_be16(header.data() + 2);
  const std::size_t bytes = load_be16(header.data() + 4);
  if (bytes < kUdpHeaderBytes || bytes > there) return count.drop(InetDrop::malformed);
  if (!checksum_is_right(packet, bytes, load_be16(header.data() + 6))) return count.drop(InetDrop::bad_checksum);
  const Offload offload = std::exchange(packet.m->pkthdr.offload, {});
  const bool super_frame = offload.gso_type == Offload::kGsoUdpL4 && offload.gso_size != 0;
  if (super_frame && bytes - kUdpHeaderBytes > Segmenter::kSegmentsMax * offload.gso_size) {
    return count.drop(InetDrop::bad_offload);
  }

  UdpSocket* const socket = find(packet.dst, port, &packet.in->ifp);
  if (socket == nullptr) {
    stack_.port_unreachable(packet);
    return count.drop(InetDrop::no_socket);
  }
  UdpDatagram datagram{.from = packet.src,
                       .from_port = from_port,
                       .to = packet.dst,
                       .in = &packet.in->ifp,
                       .hops = packet.hops,
                       .payload = std::move(packet.m)};
  m_trim_back(datagram.payload, there - bytes);
  m_trim_front(datagram.payload, packet.payload + kUdpHeaderBytes);
  if (super_frame) deliver_cut(port, std::move(datagram), offload.gso_size);
  else deliver(socket, std::move(datagram));
}

// Somebody else may answer for it: the link has checked it, or it never left memory (OASIS virtio 1.2, 5.1.6.4).
bool Udp::checksum_is_right(const Packet& packet, std::size_t bytes, std::uint16_t checksum) const {
  if ((packet.m->pkthdr.offload.flags & (Offload::kNeedsChecksum | Offload::kDataValid)) != 0) return true;
  if (checksum == 0) return packet.src.is_v4();  // none was made: RFC 768; not allowed by RFC 8200, 8.1
  InternetSum sum;
  sum.add_pseudo_header(packet.src.wire(), packet.dst.wire(), kProtocolUdp, bytes);
  sum.add(MbufCursor(*packet.m, packet.payload), bytes);  // without what may be behind the datagram
  return sum.checksum() == 0;
}

void Udp::deliver(UdpSocket* socket, UdpDatagram datagram) {
  if (socket == nullptr) return stack_.counters.drop(InetDrop::no_socket);
  if (socket->received_.size() == UdpSocket::kReceivedMax) return stack_.counters.drop(InetDrop::socket_full);
  stack_.counters.delivered.add(1);
  socket->received_.push_back(std::move(datagram));
  const UpcallScope scope(stack_.domain);
  if (const auto readable = socket->readable_; readable) readable();  // a copy: it may close the socket
}

// A super-frame is many datagrams that came as one. Each is looked up anew, as the one before may close the socket.
void Udp::deliver_cut(std::uint16_t port, UdpDatagram datagram, std::size_t segment_bytes) {
  const std::size_t bytes = datagram.payload->pkthdr.len;
  for (std::size_t at = 0; at == 0 || at < bytes; at += segment_bytes) {
    if (at > 0) stack_.counters.cut.add(1);
    const std::size_t here = std::min(segment_bytes, bytes - at);
    MbufPtr piece = stack_.domain.pool().get(here);
    if (!piece) {
      stack_.counters.drop(InetDrop::in_no_mbuf);
      continue;
    }
    m_copydata(*datagram.payload, at, {MbufPool::append(*piece, here), here});
    deliver(find(datagram.to, port, datagram.in), {.from = datagram.from,
                                                   .from_port = datagram.from_port,
                                                   .to = datagram.to,
                                                   .in = datagram.in,
                                                   .hops = datagram.hops,
                                                   .payload = std::move(piece)});
  }
}

bool Udp::has_sent(const Quoted& about) {
  const UdpSocket* const socket = find(about.src, about.src_port, about.in == nullptr ? nullptr : &about.in->ifp);
  const UdpSocket::Sent sent{about.dst, about.dst_port};
  return socket != nullptr && socket->sent_[UdpSocket::place_of(sent)] == sent;
}

void Udp::hear_error(const Quoted& about, const Error& error) {
  UdpSocket* const socket = find(about.src, about.src_port, about.in == nullptr ? nullptr : &about.in->ifp);
  if (socket == nullptr) return;
  socket->error_ = error;
  const UpcallScope scope(stack_.domain);
  if (const auto readable = socket->readable_; readable) readable();
}

// --- a socket ---

UdpSocket::~UdpSocket() { std::erase(stack_.udp.sockets_, this); }

std::size_t UdpSocket::place_of(const Sent& sent) {
  const auto half = [&](std::size_t at) {
    return load<std::uint64_t, std::endian::native>(as_bytes(sent.address.octets).data() + at);
  };
  constexpr std::uint64_t kMix = 0x9e37'79b9'7f4a'7c15;  // 2^64 over the golden ratio: spreads what is alike
  return static_cast<std::size_t>(((half(0) ^ half(8) ^ sent.port) * kMix) >> 32) % kSentMax;
}

std::optional<UdpDatagram> UdpSocket::receive() {
  if (received_.empty()) return std::nullopt;
  UdpDatagram oldest = std::move(received_.front());
  received_.pop_front();
  return oldest;
}

Status UdpSocket::send_to(Bytes payload, const UdpTo& to) {
  MbufPtr m = stack_.domain.pool().copy_in(payload);
  if (!m) return fail(std::errc::no_buffer_space, "no mbuf for " + std::to_string(payload.size()) + " bytes");
  return send_to(std::move(m), to);
}

Status UdpSocket::send_to(MbufPtr payload, const UdpTo& to) {
  if (to.port == 0) return fail(std::errc::invalid_argument, "port 0 cannot be sent to");
  const bool other_family = bound_.address != kAny6 && bound_.address.is_v4() != to.address.is_v4();
  if (other_family) {
    return fail(std::errc::address_family_not_supported,
                "a socket bound to " + bound_.address.to_string() + " cannot send to " + to.address.to_string());
  }
  const bool bound_to_host = bound_.address.is_unicast();
  if (bound_to_host && stack_.owner_of(bound_.address, stack_.find(bound_.only)) == nullptr) {
    return fail(std::errc::address_not_available, bound_.address.to_string() + " is not an address of ours any more");
  }
  const IpAddress source = bound_to_host ? bound_.address : any_of(to.address);
  Ifnet* const via = to.via != nullptr ? to.via : bound_.only;
  if (via != nullptr && stack_.find(via) == nullptr) return fail(ENXIO, "the interface is not attached to this stack");
  const std::optional<Path> path = stack_.path_to(to.address, source, stack_.find(via));
  if (!path)
    return fail(std::errc::network_unreachable, "no way to " + to.address.to_string() + ", or no address to send from");
  const std::size_t bytes = kUdpHeaderBytes + payload->pkthdr.len;
  if (bytes > 0xffff) {
    return fail(std::errc::message_size, std::to_string(payload->pkthdr.len) + " bytes are too many for one datagram");
  }
  std::byte* const at = m_prepend(payload, kUdpHeaderBytes);
  if (at == nullptr) return fail(std::errc::no_buffer_space, "no mbuf for the UDP header");
  const Sent sent{to.address, to.port};
  sent_[place_of(sent)] = sent;
  store_be16(at, bound_.port);
  store_be16(at + 2, to.port);
  store_be16(at + 4, static_cast<std::uint16_t>(bytes));
  store_be16(at + 6, 0);
  InternetSum sum;
  sum.add_pseudo_header(path->source.wire(), to.address.wire(), kProtocolUdp, bytes);
  sum.add(*payload, 0);
  store_be16(at + 6, sum.checksum() == 0 ? 0xffff : sum.checksum());  // 0 would say that there is none
  return stack_.output(*path, to.address, std::move(payload),
                       {.protocol = kProtocolUdp, .hops = to.hops, .whole = to.whole});
}

}  // namespace vif::net::inet
