// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/icmp6.hpp"

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// As much of the packet as fits the smallest MTU with the headers (RFC 4443, 3.1).
constexpr std::size_t kQuotedBytesMax = kIp6MtuMin - kIp6HeaderBytes - kIcmpHeaderBytes;
constexpr std::uint8_t kRedirect = 137;

bool is_error(std::uint8_t type) { return type < 128 || type == kRedirect; }

// Linux's numbers, as for IPv4.
int error_of(std::uint8_t type, std::uint8_t code) {
  if (type == Icmp6::kParameterProblem) return EPROTO;
  if (type == Icmp6::kUnreachable && code == Icmp6::kNoRoute) return ENETUNREACH;
  if (type == Icmp6::kUnreachable && code == Icmp6::kPortUnreachable) return ECONNREFUSED;
  return EHOSTUNREACH;
}

}  // namespace

void Icmp6::input(Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  if (bytes < kIcmpHeaderBytes) return count.drop(InetDrop::malformed);
  InternetSum sum;
  sum.add_pseudo_header(packet.src.wire(), packet.dst.wire(), kProtocolIcmp6, bytes);
  sum.add(*packet.m, packet.payload);
  if (sum.checksum() != 0) return count.drop(InetDrop::bad_checksum);
  std::array<std::byte, kIcmpHeaderBytes> header;
  m_copydata(*packet.m, packet.payload, header);
  const auto type = std::to_integer<std::uint8_t>(header[0]);
  const auto code = std::to_integer<std::uint8_t>(header[1]);
  switch (type) {
    case kEchoRequest:
      return echo(std::move(packet));
    case kEchoReply:
      return stack_.echo.reply(std::move(packet));
    case kUnreachable:
    case kTooBig:
    case kTimeExceeded:
    case kParameterProblem:
      return hear_error(packet, type, code);
    default:
      if (Nd6::is_discovery(type)) return stack_.nd6.input(std::move(packet));
      if (GroupMessages::is_mld(type)) return stack_.group_messages.mld_input(std::move(packet));
      return count.drop(InetDrop::ignored);
  }
}

// Turns the request around, in its own mbufs. One to a group is answered too (RFC 4443, 4.2), as from one of us.
void Icmp6::echo(Packet packet) {
  InetCounters& count = stack_.counters;
  if (!packet.src.is_unicast()) return count.drop(InetDrop::ignored);
  MbufPtr m = std::move(packet.m);
  const std::uint8_t traffic_class = Ip6Header::load(m->data()).traffic_class;
  m_trim_front(m, packet.payload);
  if (!m_pullup(m, kIcmpHeaderBytes)) return count.drop(InetDrop::in_no_mbuf);
  count.delivered.add(1);
  const IpAddress source = packet.dst.is_multicast() ? kAny6 : packet.dst;
  const std::optional<Path> back = stack_.path_to(packet.src, source, packet.in_if_link_local());
  if (!back) return stack_.lost_answer();
  m->data()[0] = std::byte{kEchoReply};
  stack_.echo.sending(packet.src, m->data());  // only its source cuts: it has to hear of a narrower path
  (void)send(*back, packet.src, std::move(m), {.traffic_class = traffic_class});
}

bool Icmp6::may_answer(const Packet& about, std::uint8_t type, std::uint8_t code) const {
  const bool group_too = type == kTooBig || (type == kParameterProblem && code == kUnknownOption);
  if ((about.to_group && !group_too) || !about.src.is_unicast()) return false;
  if (about.protocol != kProtocolIcmp6) return true;
  std::array<std::byte, 1> quoted_type;
  if (about.m->pkthdr.len < about.payload + quoted_type.size()) return false;
  m_copydata(*about.m, about.payload, quoted_type);
  return !is_error(std::to_integer<std::uint8_t>(quoted_type[0]));
}

void Icmp6::error(const Packet& about, std::uint8_t type, std::uint8_t code, std::uint32_t word) {
  if (!may_answer(about, type, code) || !stack_.may_send_error()) return;
  const bool to_us = !about.to_group && stack_.owner_of(about.dst, about.in) != nullptr;
  const std::optional<Path> back = stack_.path_to(about.src, to_us ? about.dst : kAny6, about.in_if_link_local());
  if (!back) return stack_.lost_answer();
  const std::size_t quoted = std::min<std::size_t>(about.m->pkthdr.len, kQuotedBytesMax);
  MbufPtr m = stack_.domain.pool().get(kIcmpHeaderBytes + quoted);
  if (!m) return stack_.lost_answer(InetDrop::out_no_mbuf);
  std::byte* const at = MbufPool::append(*m, kIcmpHeaderBytes + quoted);
  at[0] = std::byte{type};
  at[1] = std::byte{code};
  store_be32(at + 4, word);
  m_copydata(*about.m, 0, {at + kIcmpHeaderBytes, quoted});
  stack_.counters.errors_sent.add(1);
  (void)send(*back, about.src, std::move(m), {});
}

Status Icmp6::send(const Path& path, const IpAddress& dst, MbufPtr message, SendAs as) {
  std::byte* const at = message->data();
  store_be16(at + 2, 0);
  InternetSum sum;
  sum.add_pseudo_header(path.source.wire(), dst.wire(), kProtocolIcmp6, message->pkthdr.len);
  sum.add(*message, 0);
  store_be16(at + 2, sum.checksum());
  as.protocol = kProtocolIcmp6;
  return stack_.output(path, dst, std::move(message), as);
}

// Somebody says what became of a packet of ours, of which it quotes the beginning.
void Icmp6::hear_error(const Packet& packet, std::uint8_t type, std::uint8_t code) {
  InetCounters& count = stack_.counters;
  std::array<std::byte, kIcmpHeaderBytes + kIp6HeaderBytes> bytes;
  if (packet.m->pkthdr.len < packet.payload + bytes.size()) return count.drop(InetDrop::malformed);
  m_copydata(*packet.m, packet.payload, bytes);
  const Ip6Header header = Ip6Header::load(bytes.data() + kIcmpHeaderBytes);
  const Quoted quoted = quote(*packet.m, packet.payload + kIcmpHeaderBytes + kIp6HeaderBytes,
                              {.in = packet.in, .src = header.src, .dst = header.dst, .protocol = header.next_header});
  if (!stack_.has_sent(quoted)) return count.drop(InetDrop::ignored);
  count.delivered.add(1);
  if (type == kTooBig) return stack_.hear_too_big(quoted, load_be32(bytes.data() + 4));
  stack_.hear_error(quoted, error_of(type, code));
}

}  // namespace vif::net::inet
