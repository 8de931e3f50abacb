// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/group_messages.hpp"

#include <algorithm>

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// IGMP types: RFC 3376, 4; RFC 2236, 2.1.
constexpr std::uint8_t kIgmpQuery = 0x11, kIgmpReport2 = 0x16, kIgmpLeave2 = 0x17, kIgmpReport3 = 0x22;
constexpr std::size_t kIgmpOlderBytes = 8, kIgmpQueryBytes = 12;  // a query of version 3 without its sources
constexpr std::size_t kMldOlderBytes = 24, kMldQueryBytes = 28;
constexpr std::size_t kReportBytes = 8;              // of either family's newer version, without its records
constexpr std::uint8_t kInternetworkControl = 0xc0;  // RFC 3376, 4: the type of service of every message
constexpr std::uint8_t kOneHop = 1;

constexpr IpAddress kAllRouters4 = IpAddress::v4(224, 0, 0, 2);                            // RFC 2236, 9: of leaving
constexpr IpAddress kReports4 = IpAddress::v4(224, 0, 0, 22);                              // RFC 3376, 4.2.14
constexpr IpAddress kReports6 = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16}};  // RFC 3810, 5.2.14

std::size_t address_bytes(const IpAddress& address) { return address.is_v4() ? kIp4AddressBytes : kIp6AddressBytes; }

void store_address(const IpAddress& address, std::byte* to) {
  if (address.is_v4()) address.store4(to);
  else address.store6(to);
}

// A number as a query has it: large ones as a floating point number (RFC 3376, 4.1.1; RFC 3810, 5.1.3).
std::uint32_t number(std::uint32_t code, unsigned mantissa_bits) {
  if (code < 1U << (mantissa_bits + 3)) return code;
  const std::uint32_t mantissa = code & ((1U << mantissa_bits) - 1), exponent = code >> mantissa_bits & 7;
  return (mantissa | 1U << mantissa_bits) << (exponent + 3);
}
constexpr unsigned kMantissa8 = 4, kMantissa16 = 12;

// Querier's robustness and query interval: RFC 3376, 4.1.6 and 4.1.7; RFC 3810, 5.1.8 and 5.1.9.
void load_querier(const std::byte* from, GroupQuery& query) {
  query.robustness = std::to_integer<std::uint8_t>(from[0]) & 7;
  query.interval = std::chrono::seconds(number(std::to_integer<std::uint32_t>(from[1]), kMantissa8));
}

}  // namespace

// A message from beyond the link, or one that a router made for others, is not for us: RFC 3376, 4 and 9; RFC 2236, 9.
void GroupMessages::igmp_input(Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  if (bytes < kIgmpOlderBytes) return count.drop(InetDrop::malformed);
  InternetSum sum;
  sum.add(*packet.m, packet.payload);
  if (sum.checksum() != 0) return count.drop(InetDrop::bad_checksum);
  std::array<std::byte, kIgmpQueryBytes> message{};
  m_copydata(*packet.m, packet.payload, MutBytes(message).first(std::min(bytes, message.size())));
  const auto type = std::to_integer<std::uint8_t>(message[0]);
  const auto code = std::to_integer<std::uint32_t>(message[1]);
  const IpAddress group = IpAddress::load4(message.data() + 4);
  if (type != kIgmpQuery && type != kIgmpReport2) return count.drop(InetDrop::ignored);
  const bool valid = packet.hops == kOneHop && packet.router_alert && packet.to_group &&
                     (group.is_multicast() || (type == kIgmpQuery && group == kAny4));
  if (!valid) return count.drop(InetDrop::invalid_membership);
  if (type == kIgmpReport2) {
    count.delivered.add(1);
    return packet.in->membership4.overheard(group);
  }
  constexpr auto kUnit = std::chrono::milliseconds(100);
  GroupQuery query{.group = group == kAny4 ? kAny6 : group, .older = bytes < kIgmpQueryBytes};
  query.answer_within = kUnit * (query.older ? code : number(code, kMantissa8));
  if (query.older && code == 0) return count.drop(InetDrop::ignored);  // of version 1, which nobody speaks any more
  if (!query.older) load_querier(message.data() + 8, query);
  count.delivered.add(1);
  count.queries_heard.add(1);
  packet.in->membership4.queried(query);
}

// RFC 3810, 5.1.14 and 6.2; RFC 2710, 3.
void GroupMessages::mld_input(Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  if (bytes < kMldOlderBytes) return count.drop(InetDrop::malformed);
  std::array<std::byte, kMldQueryBytes> message{};
  m_copydata(*packet.m, packet.payload, MutBytes(message).first(std::min(bytes, message.size())));
  const auto type = std::to_integer<std::uint8_t>(message[0]);
  const std::uint32_t code = load_be16(message.data() + 4);
  const IpAddress group = IpAddress::load6(message.data() + 8);
  if (type != kMldQuery && type != kMldReport1) return count.drop(InetDrop::ignored);
  const bool wrong_length = type == kMldQuery && bytes > kMldOlderBytes && bytes < kMldQueryBytes;
  const bool valid = packet.hops == kOneHop && packet.router_alert && !packet.was_cut && packet.src.is_link_local() &&
                     !wrong_length &&
                     ((group.is_multicast() && !group.is_v4()) || (type == kMldQuery && group == kAny6));
  if (!valid) return count.drop(InetDrop::invalid_membership);
  count.delivered.add(1);
  if (type == kMldReport1) return packet.in->membership6.overheard(group);
  GroupQuery query{.group = group, .older = bytes < kMldQueryBytes};
  query.answer_within = std::chrono::milliseconds(query.older ? code : number(code, kMantissa16));
  if (!query.older) load_querier(message.data() + 24, query);
  count.queries_heard.add(1);
  packet.in->membership6.queried(query);
}

// Both newer versions have the same report but for the type and the length of an address.
void GroupMessages::report(Interface& out, std::span<const GroupRecord> records) {
  const bool v4 = records.front().group.is_v4();
  const std::size_t record_bytes = 4 + address_bytes(records.front().group);
  constexpr std::size_t kHeadersMax = kIp6HeaderBytes + 8;  // with the router alert; IPv4's are shorter
  const std::size_t room = std::max<std::size_t>(out.mtu(records.front().group), kHeadersMax + kReportBytes);
  const std::size_t fit = std::max<std::size_t>(1, (room - kHeadersMax - kReportBytes) / record_bytes);
  while (!records.empty()) {
    const auto now = records.first(std::min(fit, records.size()));
    records = records.subspan(now.size());
    const std::size_t bytes = kReportBytes + now.size() * record_bytes;
    MbufPtr m = stack_.domain.pool().get(bytes);
    if (!m) return stack_.lost_answer(InetDrop::out_no_mbuf);
    std::byte* at = MbufPool::append(*m, bytes);
    std::fill_n(at, bytes, std::byte{0});
    at[0] = std::byte{v4 ? kIgmpReport3 : kMldReport2};
    store_be16(at + 6, static_cast<std::uint16_t>(now.size()));
    at += kReportBytes;
    for (const GroupRecord& record : now) {
      at[0] = static_cast<std::byte>(record.change);
      store_address(record.group, at + 4);
      at += record_bytes;
    }
    send(out, v4 ? kReports4 : kReports6, std::move(m));
  }
}

void GroupMessages::report_older(Interface& out, const GroupRecord& record) {
  const bool v4 = record.group.is_v4(), left = record.change == GroupChange::left;
  const std::size_t bytes = v4 ? kIgmpOlderBytes : kMldOlderBytes;
  MbufPtr m = stack_.domain.pool().get(bytes);
  if (!m) return stack_.lost_answer(InetDrop::out_no_mbuf);
  std::byte* const at = MbufPool::append(*m, bytes);
  std::fill_n(at, bytes, std::byte{0});
  if (v4) at[0] = std::byte{left ? kIgmpLeave2 : kIgmpReport2};
  else at[0] = std::byte{left ? kMldDone1 : kMldReport1};
  store_address(record.group, at + bytes - address_bytes(record.group));
  const IpAddress dst = !left ? record.group : v4 ? kAllRouters4 : kAllRouters6;
  send(out, dst, std::move(m));
}

// Without an address as from nobody: switches that listen want to know, too (RFC 3376, 4.2.13; RFC 3810, 5.2.13).
void GroupMessages::send(Interface& out, const IpAddress& dst, MbufPtr message) {
  const InterfaceAddress* const source = out.addresses.source_for(dst.is_v4() ? dst : kAllNodes6);
  const bool right = source != nullptr && (dst.is_v4() || source->address().is_link_local());
  const Path path{.out = &out,
                  .source = right ? source->address() : any_of(dst),
                  .next_hop = dst,
                  .mtu_bytes = out.mtu(dst),
                  .mac = group_mac(dst)};
  SendAs as{.protocol = kProtocolIgmp, .hops = kOneHop, .router_alert = true};
  stack_.counters.reports_sent.add(1);
  if (!dst.is_v4()) return (void)stack_.icmp6.send(path, dst, std::move(message), as);
  as.traffic_class = kInternetworkControl;
  store_be16(message->data() + 2, checksum_of(message->bytes()));
  (void)stack_.output(path, dst, std::move(message), as);
}

}  // namespace vif::net::inet
