// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/icmp4.hpp"

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// As much of the packet as fits 576 bytes with the headers (RFC 1812, 4.3.2.3).
constexpr std::size_t kQuotedBytesMax = 576 - kIp4HeaderBytes - kIcmpHeaderBytes;
constexpr std::uint8_t kInternetworkControl = 0xc0;  // the precedence of errors: RFC 1812, 4.3.2.5

constexpr std::uint8_t kHopsMax = 255;  // the answer may have as far to go as the question came

constexpr std::uint32_t kEveryHostTakes = 576;  // RFC 791, 3.1

// RFC 1122, 4.1.3.3 leaves the numbers to us; these are Linux's.
int error_of(std::uint8_t type, std::uint8_t code) {
  if (type == Icmp4::kParameterProblem) return EPROTO;
  if (type == Icmp4::kTimeExceeded) return EHOSTUNREACH;
  switch (code) {
    case Icmp4::kNetUnreachable:
      return ENETUNREACH;
    case Icmp4::kProtocolUnreachable:
      return ENOPROTOOPT;
    case Icmp4::kPortUnreachable:
      return ECONNREFUSED;
    default:
      return EHOSTUNREACH;
  }
}

bool is_error(std::uint8_t type) { return type != Icmp4::kEchoReply && type != Icmp4::kEchoRequest; }

// RFC 1122, 3.2.2: not about errors, later fragments, groups, or senders that are not one host.
bool may_answer(const Packet& about) {
  if (about.to_group || !about.src.is_unicast() || about.src.is_loopback()) return false;
  const Ip4Header header = Ip4Header::load(about.m->data());
  if ((header.fragment & Ip4Header::kOffsetMask) != 0) return false;
  if (about.protocol != kProtocolIcmp4) return true;
  std::array<std::byte, 1> type;
  if (about.m->pkthdr.len < about.payload + type.size()) return false;
  m_copydata(*about.m, about.payload, type);
  return !is_error(std::to_integer<std::uint8_t>(type[0]));
}

}  // namespace

void Icmp4::input(Packet packet) {
  InetCounters& count = stack_.counters;
  if (packet.m->pkthdr.len < packet.payload + kIcmpHeaderBytes) return count.drop(InetDrop::malformed);
  InternetSum sum;
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
    case kTimeExceeded:
    case kParameterProblem:
      return hear_error(packet, type, code);
    default:
      return count.drop(InetDrop::ignored);
  }
}

// Turns the request around, in its own mbufs. One to a group is not answered (RFC 1122, 3.2.2.6 leaves it to us).
void Icmp4::echo(Packet packet) {
  InetCounters& count = stack_.counters;
  if (packet.to_group || !packet.src.is_unicast()) return count.drop(InetDrop::ignored);
  const std::uint8_t tos = Ip4Header::load(packet.m->data()).type_of_service;
  MbufPtr m = std::move(packet.m);
  m_trim_front(m, packet.payload);
  if (!m_pullup(m, kIcmpHeaderBytes)) return count.drop(InetDrop::in_no_mbuf);
  count.delivered.add(1);
  const std::optional<Path> back = stack_.path_to(packet.src, packet.dst, nullptr);
  if (!back) return stack_.lost_answer();
  std::byte* const at = m->data();
  at[0] = std::byte{kEchoReply};
  // 0 and 0xffff are the same, but for a reply of zeros alone: only 0xffff makes that add up (RFC 1624, 3).
  const std::uint16_t checksum = checksum_after(load_be16(at + 2), kEchoRequest << 8, kEchoReply << 8);
  store_be16(at + 2, checksum == 0 ? 0xffff : checksum);
  (void)stack_.output(*back, packet.src, std::move(m),
                      {.protocol = kProtocolIcmp4, .hops = kHopsMax, .traffic_class = tos});
}

void Icmp4::error(const Packet& about, std::uint8_t type, std::uint8_t code, std::uint32_t word) {
  if (!may_answer(about)) return;
  if (!stack_.may_send_error()) return;
  const bool to_us = stack_.owner_of(about.dst, about.in) != nullptr;
  const std::optional<Path> back = stack_.path_to(about.src, to_us ? about.dst : kAny4, nullptr);
  if (!back) return stack_.lost_answer();
  const std::size_t quoted = std::min<std::size_t>(about.m->pkthdr.len, kQuotedBytesMax);
  MbufPtr m = stack_.domain.pool().get(kIcmpHeaderBytes + quoted);
  if (!m) return stack_.lost_answer(InetDrop::out_no_mbuf);
  std::byte* const at = MbufPool::append(*m, kIcmpHeaderBytes + quoted);
  at[0] = std::byte{type};
  at[1] = std::byte{code};
  store_be16(at + 2, 0);
  store_be32(at + 4, word);
  m_copydata(*about.m, 0, {at + kIcmpHeaderBytes, quoted});
  store_be16(at + 2, checksum_of(m->bytes()));
  stack_.counters.errors_sent.add(1);
  (void)stack_.output(*back, about.src, std::move(m),
                      {.protocol = kProtocolIcmp4, .hops = kHopsMax, .traffic_class = kInternetworkControl});
}

// Somebody says what became of a packet of ours, of which it quotes the beginning.
void Icmp4::hear_error(const Packet& packet, std::uint8_t type, std::uint8_t code) {
  InetCounters& count = stack_.counters;
  std::array<std::byte, kIp4HeaderBytes> bytes;
  const std::size_t quote_at = packet.payload + kIcmpHeaderBytes;
  if (packet.m->pkthdr.len < quote_at + bytes.size()) return count.drop(InetDrop::malformed);
  m_copydata(*packet.m, quote_at, bytes);
  const Ip4Header header = Ip4Header::load(bytes.data());
  const Quoted quoted = quote(*packet.m, quote_at + header.header_bytes,
                              {.in = packet.in, .src = header.src, .dst = header.dst, .protocol = header.protocol});
  if (!stack_.has_sent(quoted)) return count.drop(InetDrop::ignored);
  count.delivered.add(1);
  if (type != kUnreachable || code != kFragmentationNeeded) return stack_.hear_error(quoted, error_of(type, code));
  std::array<std::byte, kIcmpHeaderBytes> icmp;
  m_copydata(*packet.m, packet.payload, icmp);
  // A router from before RFC 1191 says 0: then what every host takes.
  const std::uint16_t said = load_be16(icmp.data() + 6);
  stack_.hear_too_big(quoted, said != 0 ? said : kEveryHostTakes);
}

}  // namespace vif::net::inet
