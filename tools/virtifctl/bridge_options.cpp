// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/bridge_options.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "tools/control/parse_number.hpp"

namespace vif::tools {
namespace {

constexpr std::uint32_t kSecondsMax = 1'000'000;
constexpr std::uint32_t kStationsMin = 4, kStationsMax = 1U << 24;

Error wrong(std::string_view option, std::string_view text, std::string_view expected) {
  return fail(EINVAL, fmt::format("{} '{}': expected {}", option, text, expected));
}

// The part before the first `at`, which is taken off `text` with it; all of it when there is none.
std::string_view cut(std::string_view& text, char at) {
  const std::size_t end = text.find(at);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// "a,b" as a and b; an empty item, too, where the list says so.
std::vector<std::string_view> items(std::string_view list) {
  std::vector<std::string_view> all;
  for (std::size_t end = list.find(','); end != std::string_view::npos; end = list.find(',')) {
    all.push_back(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
  all.push_back(list);
  return all;
}

// An option's word `PORT=REST`, or `PORT` alone.
struct PortWord {
  host::BridgeRequest::Link* link;
  std::string_view rest;
};

Result<PortWord> port_word(std::string_view option, const std::string& word, host::BridgeRequest& request) {
  constexpr std::string_view kName = "virt";
  std::string_view rest = word;
  std::string_view port = cut(rest, '=');
  if (port.starts_with(kName)) {
    const auto unit = parse_number<std::size_t>(port.substr(kName.size()), 0, request.links.size() - 1);
    if (unit) return PortWord{&request.links[*unit], rest};
  }
  return wrong(option, word, fmt::format("a port, virt0 for the first link to virt{}", request.links.size() - 1));
}

std::optional<std::uint16_t> parse_vlan(std::string_view text) {
  return parse_number<std::uint16_t>(text, 1, net::kVlanIdMax);
}

// "10,20-29" as tagged VLANs.
bool add_tagged(std::string_view list, net::BridgeVlans& vlans) {
  for (std::string_view range : items(list)) {
    const bool is_range = range.find('-') != std::string_view::npos;
    const std::optional<std::uint16_t> first = parse_vlan(cut(range, '-'));
    const std::optional<std::uint16_t> last = is_range ? parse_vlan(range) : first;
    if (!first || !last || *last < *first) return false;
    for (std::uint16_t vlan = *first; vlan <= *last; ++vlan) {
      if (!vlans.untagged[vlan]) vlans.add_tagged(vlan);
    }
  }
  return true;
}

}  // namespace

void BridgeOptions::add_to(CLI::App& bridge) {
  const auto each = [&](const char* name, std::vector<std::string>& into, const char* what, const char* type) {
    // Without extra arguments: the next word is a link's.
    bridge.add_option(name, into, what)->type_name(type)->expected(1)->allow_extra_args(false)->take_all();
  };
  bridge
      .add_option("LINKSTR", linkstrs_,
                  "two or more link strings, as in tap:t0 mem:lan0; they become virt0, virt1, ...")
      ->required();
  each("--access", access_, "filter VLANs; this port is in one, without tags", "PORT=VLAN");
  each("--trunk", trunk_, "filter VLANs; this port is in these, with tags, beside its --access",
       "PORT=VLAN[-VLAN],...");
  each("--static", static_, "this station is there and nowhere else", "PORT=MAC[/VLAN]");
  each("--no-flood", no_flood_, "flood nothing to this port, or not unknown, multicast or broadcast",
       "PORT[=KIND,...]");
  each("--no-learn", no_learn_, "learn nobody behind this port", "PORT");
  bridge
      .add_option("--flood-rate", flood_rate_, "frames a second of one port that are flooded (default 100000; 0: all)")
      ->type_name("N");
  bridge.add_option("--age", age_s_, "seconds of silence after which a station is forgotten (default 300)")
      ->type_name("N")
      ->check(CLI::Range(1U, kSecondsMax));
  bridge.add_option("--stations-max", stations_max_, "how many stations are remembered (default 4096)")
      ->type_name("N")
      ->check(CLI::Range(kStationsMin, kStationsMax));
  bridge.add_option("--probe", probe_s_, "seconds between the frames that look for loops (default 2; 0: none)")
      ->type_name("N")
      ->check(CLI::Range(0U, kSecondsMax));
}

Result<host::BridgeRequest> BridgeOptions::request() const {
  if (linkstrs_[0].find(':') == std::string::npos) {
    return fail(EINVAL,
                fmt::format("'{}' is no link string, as in tap:t0, nor one of show, link and fdb", linkstrs_[0]));
  }
  if (linkstrs_.size() < 2 || linkstrs_.size() > net::Bridge::kPortsMax) {
    return fail(EINVAL, fmt::format("{} link: a bridge joins 2 to {}", linkstrs_.size(), net::Bridge::kPortsMax));
  }
  host::BridgeRequest request;
  for (const std::string& linkstr : linkstrs_) request.links.push_back({linkstr, {}, {}});
  request.config.filters_vlans = !access_.empty() || !trunk_.empty();
  if (age_s_) request.config.station_age = std::chrono::seconds(*age_s_);
  if (stations_max_) request.config.stations_max = *stations_max_;
  if (probe_s_) request.config.probe_interval = std::chrono::seconds(*probe_s_);
  for (const auto part : {&BridgeOptions::set_vlans, &BridgeOptions::set_floods, &BridgeOptions::set_stations}) {
    if (Status set = (this->*part)(request); !set) return std::move(set).error();
  }
  return request;
}

Status BridgeOptions::set_vlans(host::BridgeRequest& request) const {
  for (const std::string& word : access_) {
    Result<PortWord> port = port_word("--access", word, request);
    if (!port) return std::move(port).error();
    const std::optional<std::uint16_t> vlan = parse_vlan(port->rest);
    if (!vlan) return wrong("--access", word, "PORT=VLAN, one of 1 to 4094");
    port->link->settings.vlans = net::BridgeVlans::access(*vlan);
  }
  for (const std::string& word : trunk_) {
    Result<PortWord> port = port_word("--trunk", word, request);
    if (!port) return std::move(port).error();
    net::BridgeVlans& vlans = port->link->settings.vlans;
    const bool has_access = std::any_of(access_.begin(), access_.end(), [&](const std::string& other) {
      return other.substr(0, other.find('=')) == word.substr(0, word.find('='));
    });
    if (!has_access && vlans.pvid != 0) vlans = {};
    if (!add_tagged(port->rest, vlans)) return wrong("--trunk", word, "PORT=VLAN[-VLAN],... of 1 to 4094");
  }
  return {};
}

Status BridgeOptions::set_floods(host::BridgeRequest& request) const {
  if (flood_rate_) {
    for (host::BridgeRequest::Link& link : request.links) link.settings.floods_per_second = *flood_rate_;
  }
  for (const std::string& word : no_flood_) {
    Result<PortWord> port = port_word("--no-flood", word, request);
    if (!port) return std::move(port).error();
    net::BridgePortSettings& settings = port->link->settings;
    const bool all = word.find('=') == std::string::npos;
    for (const std::string_view kind : all ? items("unknown,multicast,broadcast") : items(port->rest)) {
      if (kind == "unknown") settings.floods_unknown = false;
      else if (kind == "multicast") settings.floods_multicast = false;
      else if (kind == "broadcast") settings.floods_broadcast = false;
      else return wrong("--no-flood", word, "PORT, or PORT=KIND,... of unknown, multicast, broadcast");
    }
  }
  for (const std::string& word : no_learn_) {
    Result<PortWord> port = port_word("--no-learn", word, request);
    if (!port) return std::move(port).error();
    port->link->settings.learns = false;
  }
  return {};
}

Status BridgeOptions::set_stations(host::BridgeRequest& request) const {
  for (const std::string& word : static_) {
    Result<PortWord> port = port_word("--static", word, request);
    if (!port) return std::move(port).error();
    std::string_view rest = port->rest;
    const Result<net::MacAddress> address = net::MacAddress::parse(cut(rest, '/'));
    if (!address) return fail(EINVAL, fmt::format("--static '{}': {}", word, address.error().text));
    // A port without tags has one VLAN to be meant.
    const std::uint16_t own = request.config.filters_vlans ? port->link->settings.vlans.pvid : std::uint16_t{0};
    const auto vlan = word.find('/') == std::string::npos ? std::optional(own) : parse_vlan(rest);
    if (!vlan) return wrong("--static", word, "PORT=MAC/VLAN, one of 1 to 4094");
    port->link->stations.push_back({*address, *vlan});
  }
  return {};
}

}  // namespace vif::tools
