// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/dhcp_message.hpp"

#include <algorithm>
#include <initializer_list>

namespace vif::net::inet {
namespace {

// RFC 2131, 2: figure 1.
constexpr std::size_t kTransactionAt = 4, kSecondsAt = 8, kFlagsAt = 10, kOursAt = 12, kYoursAt = 16, kClientAt = 28,
                      kServerNameAt = 44, kFileAt = 108, kCookieAt = 236, kOptionsAt = 240;
constexpr std::byte kBootRequest{1}, kBootReply{2}, kEthernet{1};
constexpr std::uint16_t kBroadcastFlag = 0x8000;
constexpr std::uint32_t kCookie = 0x6382'5363;  // RFC 2131, 3

// RFC 2132, but for kClasslessRoutes: RFC 3442.
enum Option : std::uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouters = 3,
  kDnsServers = 6,
  kInterfaceMtu = 26,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kOverload = 52,
  kMessageType = 53,
  kServerIdentifier = 54,
  kParameters = 55,
  kMessageBytesMax = 57,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kClasslessRoutes = 121,
  kEnd = 255,
};

// In the order in which we want them: classless routes before routers (RFC 3442).
constexpr std::array<std::uint8_t, 6> kWanted = {kSubnetMask, kClasslessRoutes, kRouters,
                                                 kDnsServers, kInterfaceMtu,    kLeaseTime};

std::byte* put(std::byte* at, Option option, Bytes value) {
  at[0] = static_cast<std::byte>(option);
  at[1] = static_cast<std::byte>(value.size());
  std::copy(value.begin(), value.end(), at + 2);
  return at + 2 + value.size();
}

std::byte* put(std::byte* at, Option option, const IpAddress& address) {
  std::array<std::byte, kIp4AddressBytes> bytes;
  address.store4(bytes.data());
  return put(at, option, bytes);
}

// What a message says in its options. One that comes in pieces, wherever they are, is whole again (RFC 3396, 5 to 7).
class Options {
 public:
  // False: an option ends behind the message.
  bool read(Bytes message) {
    if (!read_area(message.subspan(kOptionsAt))) return false;
    const auto overload = value(kOverload);
    if (!overload) return true;
    const unsigned areas = overload->size() == 1 ? std::to_integer<unsigned>((*overload)[0]) : 0;
    if (areas < 1 || areas > 3) return false;
    if ((areas & 1) != 0 && !read_area(message.subspan(kFileAt, kCookieAt - kFileAt))) return false;
    return (areas & 2) == 0 || read_area(message.subspan(kServerNameAt, kFileAt - kServerNameAt));
  }

  std::optional<Bytes> value(Option option) const {
    for (const Entry& entry : entries_) {
      if (entry.option == option) return Bytes(entry.value);
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    std::uint8_t option;
    std::vector<std::byte> value;
  };

  bool read_area(Bytes area) {
    while (!area.empty()) {
      const auto option = std::to_integer<std::uint8_t>(area[0]);
      if (option == kEnd) return true;
      if (option == kPad) {
        area = area.subspan(1);
        continue;
      }
      if (area.size() < 2) return false;
      const std::size_t bytes = std::to_integer<std::size_t>(area[1]);
      if (bytes > area.size() - 2) return false;
      append(option, area.subspan(2, bytes));
      area = area.subspan(2 + bytes);
    }
    return true;  // without an end: there are such servers
  }

  void append(std::uint8_t option, Bytes piece) {
    auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.option == option; });
    if (at == entries_.end()) at = entries_.insert(at, {option, {}});
    at->value.insert(at->value.end(), piece.begin(), piece.end());
  }

  std::vector<Entry> entries_;
};

// The readers below leave `into` as it is when the message does not have the option. False: it has a wrong length.

template <class Number>
bool read_number(const Options& options, Option option, Number& into) {
  const std::optional<Bytes> value = options.value(option);
  if (!value) return true;
  if (value->size() != sizeof into) return false;
  into = load<Number, std::endian::big>(value->data());
  return true;
}

bool read_address(const Options& options, Option option, IpAddress& into) {
  std::uint32_t number = 0;
  if (!read_number(options, option, number)) return false;
  into = IpAddress::v4(number);
  return true;
}

bool read_addresses(const Options& options, Option option, std::vector<IpAddress>& into) {
  const std::optional<Bytes> value = options.value(option);
  if (!value) return true;
  if (value->empty() || value->size() % kIp4AddressBytes != 0) return false;
  for (std::size_t at = 0; at < value->size() && into.size() < DhcpReply::kServersMax; at += kIp4AddressBytes) {
    const IpAddress address = IpAddress::load4(value->data() + at);
    if (address.is_unicast()) into.push_back(address);
  }
  return true;
}

// Without a mask, that of the address's class (RFC 950, 2.1).
bool read_prefix(const Options& options, DhcpReply& reply) {
  const std::uint32_t number = reply.address.v4_number();
  const int class_bits = number < 0x8000'0000 ? 8 : number < 0xc000'0000 ? 16 : 24;
  std::uint32_t mask = ~std::uint32_t{0} << (32 - class_bits);
  if (!read_number(options, kSubnetMask, mask)) return false;
  reply.prefix_bits = static_cast<std::uint8_t>(std::countl_one(mask));
  return mask != 0 && std::popcount(mask) == reply.prefix_bits;
}

// RFC 3442: each the bits of a prefix, as many of its bytes as those need, and the gateway.
bool read_classless_routes(Bytes value, std::vector<DhcpRoute>& into) {
  while (!value.empty()) {
    const auto bits = std::to_integer<std::uint8_t>(value[0]);
    const std::size_t bytes = (bits + 7U) / 8;
    if (bits > 32 || value.size() < 1 + bytes + kIp4AddressBytes) return false;
    std::array<std::byte, kIp4AddressBytes> network{};
    std::copy_n(value.begin() + 1, bytes, network.begin());
    const IpAddress gateway = IpAddress::load4(value.data() + 1 + bytes);
    const bool usable = gateway.is_unspecified() || gateway.is_unicast();
    if (usable && into.size() < DhcpReply::kRoutesMax) {
      into.push_back({IpPrefix{IpAddress::load4(network.data()), bits}.network(), gateway});
    }
    value = value.subspan(1 + bytes + kIp4AddressBytes);
  }
  return true;
}

// Classless routes are instead of routers (RFC 3442).
bool read_routes(const Options& options, std::vector<DhcpRoute>& into) {
  std::vector<IpAddress> routers;
  if (!read_addresses(options, kRouters, routers)) return false;
  if (const std::optional<Bytes> classless = options.value(kClasslessRoutes)) {
    return !classless->empty() && read_classless_routes(*classless, into);
  }
  if (!routers.empty()) into.push_back({{kAny4, 0}, routers.front()});
  return true;
}

}  // namespace

std::array<std::byte, DhcpRequest::kBytes> DhcpRequest::store() const {
  std::array<std::byte, kBytes> bytes{};
  bytes[0] = kBootRequest;
  bytes[1] = kEthernet;
  bytes[2] = std::byte{kMacBytes};
  store_be32(&bytes[kTransactionAt], transaction);
  store_be16(&bytes[kSecondsAt], seconds);
  store_be16(&bytes[kFlagsAt], broadcast ? kBroadcastFlag : 0);
  ours.store4(&bytes[kOursAt]);
  client.store(&bytes[kClientAt]);
  store_be32(&bytes[kCookieAt], kCookie);
  std::byte* at = &bytes[kOptionsAt];
  at = put(at, kMessageType, as_bytes(std::array{static_cast<std::uint8_t>(type)}));
  if (requested != kAny4) at = put(at, kRequestedAddress, requested);
  if (server != kAny4) at = put(at, kServerIdentifier, server);
  if (type == DhcpType::discover || type == DhcpType::request) {
    std::array<std::byte, 2> bytes_max;
    store_be16(bytes_max.data(), DhcpReply::kBytesMax);
    at = put(at, kMessageBytesMax, bytes_max);
    at = put(at, kParameters, as_bytes(kWanted));
  }
  *at = static_cast<std::byte>(kEnd);
  return bytes;
}

std::optional<DhcpReply> DhcpReply::parse(Bytes message) {
  const bool to_client = message.size() >= kOptionsAt && message[0] == kBootReply && message[1] == kEthernet &&
                         message[2] == std::byte{kMacBytes} && load_be32(&message[kCookieAt]) == kCookie;
  Options options;
  if (!to_client || !options.read(message)) return std::nullopt;
  std::uint8_t said = 0;
  DhcpReply reply;
  reply.transaction = load_be32(&message[kTransactionAt]);
  reply.address = IpAddress::load4(&message[kYoursAt]);
  reply.client = MacAddress::load(&message[kClientAt]);
  const bool readable =
      read_number(options, kMessageType, said) && read_prefix(options, reply) &&
      read_address(options, kServerIdentifier, reply.server) && read_number(options, kLeaseTime, reply.lease_s) &&
      read_number(options, kRenewalTime, reply.renew_s) && read_number(options, kRebindingTime, reply.rebind_s) &&
      read_number(options, kInterfaceMtu, reply.mtu_bytes) && read_routes(options, reply.routes) &&
      read_addresses(options, kDnsServers, reply.dns);
  reply.type = static_cast<DhcpType>(said);
  const bool from_server = reply.type == DhcpType::offer || reply.type == DhcpType::ack || reply.type == DhcpType::nak;
  if (!readable || !from_server) return std::nullopt;
  return reply;
}

}  // namespace vif::net::inet
