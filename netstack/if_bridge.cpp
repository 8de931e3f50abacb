// SPDX-License-Identifier: BSD-2-Clause
// Who is a port of the bridge, as what, and which stations are said to be where.
#include "netstack/if_bridge.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

Bridge::Config within_bounds(Bridge::Config config) {
  constexpr std::size_t kStationsMin = 4, kStationsMax = std::size_t{1} << 24;
  constexpr int kIntervalsUntilGone = 3;
  config.stations_max = std::clamp(config.stations_max, kStationsMin, kStationsMax);
  config.block_time = std::max(config.block_time, kIntervalsUntilGone * config.probe_interval);
  return config;
}

Error no_member(const Ifnet& ifp) { return fail(ENOENT, ifp.name() + " is no member of the bridge"); }

}  // namespace

Bridge::Bridge(Domain& domain, const Config& config)
    : domain_(domain),
      config_(within_bounds(config)),
      stations_(config_.stations_max, config_.station_age, {domain.random().next(), domain.random().next()}),
      probes_(domain.random()),
      next_probes_(domain.callouts(), [this] { probe_all(); }) {
  ports_.reserve(kPortsMax);
  domain_.listen(*this);
}

Bridge::~Bridge() {
  domain_.unlisten(*this);
  own_.reset();
  for (const auto& port : ports_) {
    if (port->ifp != nullptr && port.get() != own_port_) (void)remove(*port->ifp);
  }
}

Status Bridge::add(Ifnet& ifp, const BridgePortSettings& settings) {
  if (&ifp.domain() != &domain_) {
    return fail(EXDEV, ifp.name() + " belongs to another domain: a bridge joins interfaces of its own");
  }
  if (BridgeIf::is_one(ifp)) {
    return fail(ELOOP, ifp.name() + " is a bridge's own: join two bridges by a mem: link, where a loop can be seen");
  }
  Result<Port*> port = join(ifp, settings);
  if (!port) return std::move(port).error();
  if (Status promiscuous = ifp.ioctl(SetPromisc{true}); !promiscuous) {
    let_go(**port);
    return promiscuous;
  }
  ifp.set_input(*port);
  probe_soon();
  return {};
}

Status Bridge::remove(Ifnet& ifp) {
  Port* const port = port_of(ifp);
  if (port == nullptr || port == own_port_) return no_member(ifp);
  ifp.set_input(nullptr);
  let_go(*port);
  return ifp.ioctl(SetPromisc{false});
}

Result<Ifnet*> Bridge::add_own(std::uint32_t unit, const BridgePortSettings& settings) {
  if (own_) return fail(std::errc::file_exists, "the bridge has an interface of its own: " + own_->ifnet().name());
  BridgeIfSwitch& to = *this;
  auto own = std::make_unique<BridgeIf>(domain_, unit, to);
  Result<Port*> port = join(own->ifnet(), settings);
  if (!port) return std::move(port).error();
  own_ = std::move(own);
  own_port_ = *port;
  domain_.publish(own_->ifnet());
  return &own_->ifnet();
}

Result<Bridge::Port*> Bridge::join(Ifnet& ifp, const BridgePortSettings& settings) {
  if (port_of(ifp) != nullptr) return fail(std::errc::file_exists, ifp.name() + " is a member of the bridge");
  if (Status ok = check(settings); !ok) return std::move(ok).error();
  auto free = std::find_if(ports_.begin(), ports_.end(), [](const auto& port) { return port->ifp == nullptr; });
  if (free == ports_.end()) {
    if (ports_.size() == kPortsMax) {
      return fail(std::errc::no_space_on_device, "a bridge has at most " + std::to_string(kPortsMax) + " ports");
    }
    free = ports_.insert(free, std::make_unique<Port>(*this, static_cast<std::uint8_t>(ports_.size())));
  }
  Port& port = **free;
  port.ifp = &ifp;
  port.joined = ++last_joined_;
  port.settings = settings;
  return &port;
}

void Bridge::let_go(Port& port) {
  stations_.forget_port(port.index);
  port.ifp = nullptr;
  port.joined = 0;
  port.data = {};
  port.blocked_until = port.flood_paid_until = {};
}

void Bridge::if_departed(Ifnet& ifp) {
  if (Port* const port = port_of(ifp)) let_go(*port);
}

Bridge::Port* Bridge::port_of(const Ifnet& ifp) const {
  const auto at = std::find_if(ports_.begin(), ports_.end(), [&](const auto& port) { return port->ifp == &ifp; });
  return at == ports_.end() ? nullptr : at->get();
}

Status Bridge::check(const BridgePortSettings& settings) const {
  return config_.filters_vlans ? settings.vlans.check() : Status{};
}

Status Bridge::set(const Ifnet& ifp, const BridgePortSettings& settings) {
  Port* const port = port_of(ifp);
  if (port == nullptr) return no_member(ifp);
  if (Status ok = check(settings); !ok) return ok;
  port->settings = settings;
  if (!config_.filters_vlans) return {};
  stations_.keep([&](const StationTable::Station& station) {
    return station.port != port->index || settings.vlans.members[station_vlan(station.key)];
  });
  return {};
}

Result<BridgePortSettings> Bridge::settings(const Ifnet& ifp) const {
  const Port* const port = port_of(ifp);
  if (port == nullptr) return no_member(ifp);
  return port->settings;
}

Result<BridgePortData> Bridge::data(const Ifnet& ifp) const {
  const Port* const port = port_of(ifp);
  if (port == nullptr) return no_member(ifp);
  BridgePortData data = port->data;
  data.stations = stations_.count(port->index);
  data.stations_displaced = stations_.displaced(port->index);
  if (!is_blocked(*port)) data.blocked_by = BridgeBlock::none;
  return data;
}

Status Bridge::add_static(const Ifnet& ifp, std::uint16_t vlan, const MacAddress& address) {
  const Port* const port = port_of(ifp);
  if (port == nullptr) return no_member(ifp);
  if (address.is_group() || address.key() == 0) {
    return fail(std::errc::invalid_argument, address.to_string() + " is no station's address");
  }
  if (vlan > kVlanIdMax || (config_.filters_vlans && !port->settings.vlans.members[vlan])) {
    return fail(std::errc::invalid_argument, ifp.name() + " is not in VLAN " + std::to_string(vlan));
  }
  const std::uint64_t key = station_key(vlan, address.key());
  if (StationTable::Station* const known = stations_.find(key, domain_.now())) stations_.remove(*known);
  if (stations_.add(key, port->index, domain_.now(), true) != nullptr) return {};
  return fail(std::errc::no_space_on_device, "every place of the table has a static station");
}

Status Bridge::remove_static(std::uint16_t vlan, const MacAddress& address) {
  StationTable::Station* const known = stations_.find(station_key(vlan, address.key()), domain_.now());
  if (known == nullptr || !known->is_static) {
    return fail(ENOENT, address.to_string() + " is no static station of VLAN " + std::to_string(vlan));
  }
  stations_.remove(*known);
  return {};
}

std::vector<BridgeStation> Bridge::stations() const {
  std::vector<BridgeStation> all;
  for (const StationTable::Station& station : stations_.list(domain_.now())) {
    all.push_back({station_vlan(station.key), MacAddress::from_key(station.key), ports_[station.port]->ifp,
                   station.is_static, station.is_static ? Time(0) : domain_.now() - station.seen});
  }
  return all;
}

Ifnet* Bridge::find(std::uint16_t vlan, const MacAddress& address) {
  const StationTable::Station* const known = stations_.find(station_key(vlan, address.key()), domain_.now());
  return known != nullptr ? ports_[known->port]->ifp : nullptr;
}

void Bridge::flush() {
  stations_.keep([](const StationTable::Station& station) { return station.is_static; });
}

}  // namespace vif::net
