// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/if_bridge.hpp"

#include <algorithm>
#include <bit>

#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

constexpr std::uint64_t kReservedGroup = 0x0180'c200'0000;  // and the 15 after it
constexpr Time kSecond = std::chrono::seconds(1);
constexpr std::int64_t kFloodBurst = 10;  // a burst is this part of a second's floods

std::uint64_t key_of(std::uint16_t vlan, const MacAddress& address) {
  return std::uint64_t{vlan} << 48 | address.key();
}

// The VLAN id of its tag, in the bytes or beside them; 0: none.
std::uint16_t vlan_of(const Mbuf& packet, const EtherHeader& header) {
  constexpr std::uint16_t kIdBits = 0xfff;
  if ((packet.pkthdr.flags & M_VLANTAG) != 0) return packet.pkthdr.vlan_tci & kIdBits;
  if (header.type != kEtherTypeVlan || packet.pkthdr.len < kEtherHeaderBytes + kVlanTagBytes) return 0;
  std::array<std::byte, 2> tci;
  m_copydata(packet, kEtherHeaderBytes, tci);
  return load_be16(tci.data()) & kIdBits;
}

MbufPtr copy_of(MbufPool& pool, const Mbuf& packet) {
  MbufPtr copy = pool.get(packet.pkthdr.len);
  if (!copy) return copy;
  m_copydata(packet, 0, {MbufPool::append(*copy, packet.pkthdr.len), packet.pkthdr.len});
  copy->pkthdr = packet.pkthdr;
  return copy;
}

Bridge::Config within_bounds(Bridge::Config config) {
  constexpr std::size_t kAddressesMin = 4, kAddressesMax = std::size_t{1} << 24;
  config.addresses_max = std::bit_ceil(std::clamp(config.addresses_max, kAddressesMin, kAddressesMax));
  config.floods_per_second = std::max(config.floods_per_second, std::uint32_t{1});
  return config;
}

}  // namespace

Bridge::Bridge(Domain& domain, const Config& config)
    : domain_(domain),
      config_(within_bounds(config)),
      hash_(domain.random().next(), domain.random().next()),
      addresses_(std::make_unique<Address[]>(config_.addresses_max)) {
  ports_.reserve(kPortsMax);
  domain_.listen(*this);
}

Bridge::~Bridge() {
  domain_.unlisten(*this);
  while (!ports_.empty()) (void)remove(*ports_.back().ifp);
}

Status Bridge::add(Ifnet& ifp) {
  if (&ifp.domain() != &domain_) {
    return fail(EXDEV, ifp.name() + " belongs to another domain: a bridge joins interfaces of its own");
  }
  if (port_of(ifp) != nullptr) return fail(std::errc::file_exists, ifp.name() + " is a member of the bridge");
  if (ports_.size() == kPortsMax) {
    return fail(std::errc::no_space_on_device, "a bridge has at most " + std::to_string(kPortsMax) + " ports");
  }
  if (Status promiscuous = ifp.ioctl(SetPromisc{true}); !promiscuous) return promiscuous;
  ports_.push_back({&ifp, {}});
  ifp.set_input(this);
  return {};
}

Status Bridge::remove(Ifnet& ifp) {
  if (port_of(ifp) == nullptr) return fail(ENOENT, ifp.name() + " is no member of the bridge");
  ifp.set_input(nullptr);
  let_go(ifp);
  return ifp.ioctl(SetPromisc{false});
}

void Bridge::let_go(const Ifnet& ifp) {
  std::erase_if(ports_, [&](const Port& port) { return port.ifp == &ifp; });
  for (std::size_t i = 0; i < config_.addresses_max; ++i) {
    if (addresses_[i].ifp == &ifp) addresses_[i] = {};
  }
}

Result<BridgePortData> Bridge::data(const Ifnet& ifp) const {
  for (const Port& port : ports_) {
    if (port.ifp != &ifp) continue;
    BridgePortData data = port.data;
    data.is_blocked = is_blocked(port);
    return data;
  }
  return fail(ENOENT, ifp.name() + " is no member of the bridge");
}

Ifnet* Bridge::find(std::uint16_t vlan, const MacAddress& address) const {
  const Address* const known = lookup(key_of(vlan, address));
  return known != nullptr ? known->ifp : nullptr;
}

void Bridge::flush() { std::fill_n(addresses_.get(), config_.addresses_max, Address{}); }

void Bridge::input(Ifnet& ifp, MbufPtr packet) {
  Port& from = *port_of(ifp);
  const BridgeFate fate = pass(from, std::move(packet));
  // A tap on the way out may have changed the members.
  if (Port* const port = port_of(ifp)) ++port->data.fates[static_cast<std::size_t>(fate)];
}

BridgeFate Bridge::pass(Port& from, MbufPtr packet) {
  if (is_blocked(from)) return BridgeFate::blocked;
  if (packet->pkthdr.len < kEtherHeaderBytes) return BridgeFate::bad_source;
  std::array<std::byte, kEtherHeaderBytes> bytes;
  m_copydata(*packet, 0, bytes);
  const EtherHeader header = EtherHeader::load(bytes.data());
  if (header.src.is_group() || header.src.key() == 0) return BridgeFate::bad_source;
  const std::uint16_t vlan = vlan_of(*packet, header);
  learn(key_of(vlan, header.src), from);
  if (is_blocked(from)) return BridgeFate::blocked;
  if ((header.dst.key() & ~std::uint64_t{0xf}) == kReservedGroup) return BridgeFate::reserved_group;

  const Address* const known = header.dst.is_group() ? nullptr : lookup(key_of(vlan, header.dst));
  if (known == nullptr) return flood(from, std::move(packet)) ? BridgeFate::flooded : BridgeFate::flood_limit;
  if (known->ifp == from.ifp) return BridgeFate::same_port;
  if (is_blocked(*port_of(*known->ifp))) return BridgeFate::blocked;
  (void)known->ifp->transmit(std::move(packet));  // which counts what it cannot send
  return BridgeFate::forwarded;
}

// A copy for each but the last. False: the port has flooded enough for now.
bool Bridge::flood(Port& from, MbufPtr packet) {
  from.flood_paid_until = std::max(from.flood_paid_until, domain_.now());
  if (from.flood_paid_until - domain_.now() > kSecond / kFloodBurst) return false;
  from.flood_paid_until += kSecond / config_.floods_per_second;

  // Chosen first: a tap on the way out may change the members.
  std::array<Ifnet*, kPortsMax> to;
  std::size_t count = 0;
  for (const Port& port : ports_) {
    const bool sends = port.ifp->is(IFF_RUNNING) && port.ifp->link_state() != LinkState::down;
    if (port.ifp != from.ifp && sends && !is_blocked(port)) to[count++] = port.ifp;
  }
  Ifnet& origin = *from.ifp;
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    MbufPtr copy = i + 1 == count ? std::move(packet) : copy_of(domain_.pool(), *packet);
    if (copy) (void)to[i]->transmit(std::move(copy));
    else ++failed;
  }
  if (Port* const port = port_of(origin)) port->data.flood_copies_failed += failed;
  return true;
}

// Where the sender is from now on. An address that moves to and fro says that two ports are joined elsewhere.
void Bridge::learn(std::uint64_t key, Port& from) {
  if (Address* const known = lookup(key)) {
    known->seen = domain_.now();
    if (known->ifp == from.ifp) return;
    Port& before = *port_of(*known->ifp);
    if (!moved_too_often(*known)) {
      known->ifp = from.ifp;
      return;
    }
    Port& younger = std::max(&before, &from) == &from ? from : before;
    younger.blocked_until = domain_.now() + config_.block_time;
    ++younger.data.times_blocked;
    known->ifp = &younger == &from ? before.ifp : from.ifp;
    known->moves = 0;
    return;
  }
  Address* const places = bucket(key);
  Address* const stale = std::find_if(places, places + kWays, [this](const Address& a) { return !is_fresh(a); });
  if (stale == places + kWays) return;  // full of others: this one is flooded to until one of them ages
  *stale = {key, from.ifp, domain_.now(), domain_.now(), 0};
}

bool Bridge::moved_too_often(Address& address) {
  if (domain_.now() - address.moves_since > kSecond) {
    address.moves_since = domain_.now();
    address.moves = 0;
  }
  return ++address.moves > config_.moves_per_second;
}

bool Bridge::is_fresh(const Address& address) const {
  return address.key != 0 && domain_.now() - address.seen <= config_.address_age;
}

Bridge::Address* Bridge::bucket(std::uint64_t key) const {
  std::array<std::byte, sizeof key> bytes;
  std::memcpy(bytes.data(), &key, sizeof key);
  const std::size_t buckets = config_.addresses_max / kWays;
  return &addresses_[(hash_(bytes) & (buckets - 1)) * kWays];
}

Bridge::Address* Bridge::lookup(std::uint64_t key) const {
  Address* const places = bucket(key);
  for (Address* place = places; place != places + kWays; ++place) {
    if (place->key == key && is_fresh(*place)) return place;
  }
  return nullptr;
}

Bridge::Port* Bridge::port_of(const Ifnet& ifp) {
  const auto at = std::find_if(ports_.begin(), ports_.end(), [&](const Port& port) { return port.ifp == &ifp; });
  return at == ports_.end() ? nullptr : &*at;
}

}  // namespace vif::net
