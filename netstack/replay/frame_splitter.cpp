// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_splitter.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace vif::net {
namespace {

using Network = FrameLayers::Network;

constexpr std::uint16_t kWellKnownPorts = 1024;  // below it: RFC 6335, 6
constexpr std::uint32_t kPortMax = 65'535;

Error wrong(std::string_view rule, std::string_view expected) {
  return fail(std::errc::invalid_argument,
              "'" + std::string(rule) + "' does not split: expected " + std::string(expected));
}

// Its two hosts, whatever they do; ARP speaks of IPv4's.
FrameFlow hosts_of(const FrameFlow& flow) {
  FrameFlow hosts{.network = flow.network == Network::arp ? Network::ipv4 : flow.network};
  hosts.source = {flow.source.address, flow.source.mac, 0};
  hosts.destination = {flow.destination.address, flow.destination.mac, 0};
  return hosts;
}

}  // namespace

Result<FrameSplitter> FrameSplitter::parse(std::string_view rule) {
  const std::size_t equals = std::min(rule.find('='), rule.size());
  const std::string_view name = rule.substr(0, equals);
  const bool has_values = equals < rule.size();
  if (name == "first" && !has_values) return FrameSplitter(Kind::first);
  if (name == "port" && !has_values) return FrameSplitter(Kind::port);
  const bool takes_values = name == "net" || name == "port" || name == "iface";
  if (!has_values || !takes_values) {
    return wrong(rule, "net=NETWORK as in net=192.0.2.0/24, port, port=NUMBER, iface=NUMBER or first");
  }
  FrameSplitter splitter(name == "net" ? Kind::net : name == "port" ? Kind::port : Kind::iface);
  if (Status read = splitter.parse_values(rule.substr(equals + 1), rule); !read) return std::move(read).error();
  return splitter;
}

Status FrameSplitter::parse_values(std::string_view values, std::string_view rule) {
  for (bool more = true; more;) {
    const std::size_t comma = std::min(values.find(','), values.size());
    const std::string_view value = values.substr(0, comma);
    more = comma < values.size();
    values.remove_prefix(std::min(comma + 1, values.size()));
    if (kind_ == Kind::net) {
      const Result<inet::IpPrefix> net = inet::IpPrefix::parse(value);
      if (!net) return wrong(rule, "networks with commas in between, as in net=192.0.2.0/24,2001:db8::/32");
      nets_.push_back(*net);
      continue;
    }
    std::uint32_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc{} || stopped != end || (kind_ == Kind::port && number > kPortMax)) {
      return wrong(rule, "numbers with commas in between, as in port=8080,8443 or iface=0,2");
    }
    numbers_.push_back(number);
  }
  return {};
}

ReplaySide FrameSplitter::side_of(Bytes frame, std::uint32_t interface) {
  const FrameFlow flow = FrameFlow::with_ports_of_first_fragments(frame), hosts = hosts_of(flow);
  std::optional<ReplaySide> side = by_rule(flow, interface);
  if (!side) side = known(hosts);
  const ReplaySide chosen = side.value_or(ReplaySide::clients);
  if (!known(hosts)) remember(hosts, chosen);
  return chosen;
}

// None: the rule says nothing of it.
std::optional<ReplaySide> FrameSplitter::by_rule(const FrameFlow& flow, std::uint32_t interface) {
  const auto side_if = [](bool is_client) { return is_client ? ReplaySide::clients : ReplaySide::servers; };
  switch (kind_) {
    case Kind::iface:
      return side_if(std::find(numbers_.begin(), numbers_.end(), interface) != numbers_.end());
    case Kind::net:
      if (flow.network == Network::none || flow.source.address.is_unspecified()) return std::nullopt;
      return side_if(std::any_of(nets_.begin(), nets_.end(),
                                 [&](const inet::IpPrefix& net) { return net.contains(flow.source.address); }));
    case Kind::port:
      return flow.has_ports ? by_port(flow) : std::nullopt;
    case Kind::first:
      break;
  }
  if (!flow.has_ports) return std::nullopt;
  const std::optional<ReplaySide> side = known(flow);
  if (!side) remember(flow, ReplaySide::clients);
  return side.value_or(ReplaySide::clients);
}

std::optional<ReplaySide> FrameSplitter::by_port(const FrameFlow& flow) const {
  // The lesser, the more it is a server's.
  const auto rank = [this](std::uint16_t port) {
    const bool is_listed = std::find(numbers_.begin(), numbers_.end(), port) != numbers_.end();
    return std::pair(is_listed ? 0 : port < kWellKnownPorts ? 1 : 2, port);
  };
  const auto source = rank(flow.source.port), destination = rank(flow.destination.port);
  if (source == destination) return std::nullopt;
  return destination < source ? ReplaySide::clients : ReplaySide::servers;
}

// Who sent a frame of this flow, or of these hosts.
std::optional<ReplaySide> FrameSplitter::known(const FrameFlow& flow) {
  const FrameFlow either = flow.either_way();
  auto at = now_.find(either);
  if (at == now_.end()) {
    const auto old = before_.find(either);
    if (old == before_.end()) return std::nullopt;
    const bool source_is_client = old->second;
    before_.erase(old);
    if (now_.size() == kFlowsKept) before_ = std::exchange(now_, {});
    at = now_.emplace(either, source_is_client).first;
  }
  const bool is_source = either.source == flow.source;
  return is_source == at->second ? ReplaySide::clients : ReplaySide::servers;
}

void FrameSplitter::remember(const FrameFlow& flow, ReplaySide side) {
  const FrameFlow either = flow.either_way();
  if (now_.size() == kFlowsKept) before_ = std::exchange(now_, {});
  now_.emplace(either, (either.source == flow.source) == (side == ReplaySide::clients));
}

void FrameSplitter::restart() {
  now_.clear();
  before_.clear();
}

}  // namespace vif::net
