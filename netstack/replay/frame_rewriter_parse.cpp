// SPDX-License-Identifier: BSD-2-Clause
// The one place that reads rules.
#include <charconv>
#include <string>

#include "netstack/ether_demux.hpp"
#include "netstack/replay/frame_rewriter.hpp"

namespace vif::net {
namespace {

Error wrong(std::string_view rule, std::string_view expected) {
  return fail(std::errc::invalid_argument, "'" + std::string(rule) + "' is no rule: expected " + std::string(expected));
}

Result<unsigned> number(std::string_view text, unsigned least, unsigned most, std::string_view rule) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most) return value;
  return wrong(rule, "a number from " + std::to_string(least) + " to " + std::to_string(most));
}

constexpr unsigned kVlanIdMax = 4094;  // 4095 is reserved: IEEE 802.1Q-2018, 9.6

}  // namespace

Result<FrameRewriter> FrameRewriter::parse(std::string_view rules) {
  FrameRewriter rewriter;
  while (!rules.empty()) {
    const std::size_t comma = std::min(rules.find(','), rules.size());
    const Result<Rule> rule = parse_rule(rules.substr(0, comma));
    if (!rule) return rule.error();
    rewriter.rules_.push_back(*rule);
    if (std::holds_alternative<PushTag>(*rule)) ++rewriter.tags_pushed_;
    rules.remove_prefix(std::min(comma + 1, rules.size()));
  }
  return rewriter;
}

Result<FrameRewriter::Rule> FrameRewriter::parse_rule(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = equals < text.size() ? text.substr(equals + 1) : std::string_view();
  if (key == "eth.dst" || key == "eth.src") {
    const Result<MacAddress> to = MacAddress::parse(value);
    if (!to) return wrong(text, "an address as in eth.dst=02:00:00:00:00:01");
    return Rule(SetMac{key == "eth.src" ? kMacBytes : 0, *to});
  }
  if (key == "vlan") return parse_vlan(value, text);
  if (key == "ttl") {
    const Result<unsigned> to = number(value, 0, 255, text);
    if (!to) return to.error();
    return Rule(SetTtl{static_cast<std::uint8_t>(*to)});
  }
  return parse_map(key, value, text);
}

Result<FrameRewriter::Rule> FrameRewriter::parse_vlan(std::string_view value, std::string_view rule) {
  constexpr std::string_view kPush = "push:";
  if (value == "pop") return Rule(PopTag{});
  const bool pushes = value.starts_with(kPush);
  const Result<unsigned> id = number(pushes ? value.substr(kPush.size()) : value, 0, kVlanIdMax, rule);
  if (!id) return wrong(rule, "vlan=push:ID, vlan=pop or vlan=ID, with an ID from 0 to 4094");
  const auto bits = static_cast<std::uint16_t>(*id);
  return pushes ? Rule(PushTag{bits}) : Rule(SetTag{bits});
}

Result<FrameRewriter::Rule> FrameRewriter::parse_map(std::string_view key, std::string_view value,
                                                     std::string_view rule) {
  const std::size_t colon = key.find(':');
  const std::string_view kind = key.substr(0, colon);
  const std::string_view old = colon < key.size() ? key.substr(colon + 1) : std::string_view();
  if (kind == "mac") {
    const Result<MacAddress> from = MacAddress::parse(old), to = MacAddress::parse(value);
    if (!from || !to) return wrong(rule, "mac:OLD=NEW with two addresses");
    return Rule(MapMac{*from, *to});
  }
  if (kind == "port") {
    const Result<unsigned> from = number(old, 0, UINT16_MAX, rule), to = number(value, 0, UINT16_MAX, rule);
    if (!from || !to) return wrong(rule, "port:OLD=NEW with numbers from 0 to 65535");
    return Rule(MapPort{static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)});
  }
  if (kind != "ip") return wrong(rule, "one of eth.src=, eth.dst=, mac:OLD=, vlan=, ip:OLD/N=, port:OLD=, ttl=");
  const Result<inet::IpPrefix> from = inet::IpPrefix::parse(old), to = inet::IpPrefix::parse(value);
  const bool are_alike = from && to && from->address.is_v4() == to->address.is_v4() && from->bits == to->bits;
  if (!are_alike) {
    return wrong(rule, "ip:OLD/N=NEW/N, two prefixes of one family and length, as in ip:10.0.0.0/8=172.0.0.0/8");
  }
  return Rule(MapAddress{*from, *to});
}

}  // namespace vif::net
