// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ifconfig_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>

#include "netstack/inet/ip_address.hpp"
#include "tools/control/parse_number.hpp"

namespace vif::tools {
namespace {

using net::inet::IpAddress;

// A word that sets a parameter of link.set: to what stands behind it, or to a value of its own.
struct Setting {
  std::string_view word, param;
  enum class To : std::uint8_t { next, number, yes, no, nothing } to;
};
using To = Setting::To;
constexpr std::array kSettings = {Setting{"up", "up", To::yes},
                                  Setting{"down", "up", To::no},
                                  Setting{"linkstr", "linkstr", To::next},
                                  Setting{"-linkstr", "linkstr", To::nothing},
                                  Setting{"mtu", "mtu", To::number},
                                  Setting{"link", "address", To::next},
                                  Setting{"promisc", "promisc", To::yes},
                                  Setting{"-promisc", "promisc", To::no},
                                  Setting{"allmulti", "allmulti", To::yes},
                                  Setting{"-allmulti", "allmulti", To::no}};

// Words one by one.
class Words {
 public:
  explicit Words(const std::vector<std::string>& all) : all_(all) {}
  bool empty() const { return at_ == all_.size(); }
  const std::string& peek() const { return all_[at_]; }
  const std::string& take() { return all_[at_++]; }
  bool take_if(std::string_view word) { return !empty() && peek() == word ? (++at_, true) : false; }
  // What has to stand behind `word`.
  Result<std::string> value_of(const std::string& word) {
    if (empty()) return fail(EINVAL, "'" + word + "' wants a value behind it");
    return take();
  }

 private:
  const std::vector<std::string>& all_;
  std::size_t at_ = 0;
};

Result<std::uint32_t> number(const std::string& word, const std::string& text, std::uint32_t max) {
  if (const auto value = parse_number<std::uint32_t>(text, 0, max)) return *value;
  return fail(EINVAL, fmt::format("'{}' wants a number up to {}, not '{}'", word, max, text));
}

Result<Json> setting_value(const Setting& setting, Words& words) {
  if (setting.to == To::yes || setting.to == To::no) return Json(setting.to == To::yes);
  if (setting.to == To::nothing) return Json(nullptr);
  const std::string word(setting.word);
  const Result<std::string> value = words.value_of(word);
  if (!value) return value.error();
  if (setting.to == To::next) return Json(*value);
  const Result<std::uint32_t> parsed = number(word, *value, UINT32_MAX);
  if (!parsed) return parsed.error();
  return Json(*parsed);
}

// "255.255.255.0" or "0xffffff00" as a length.
Result<std::uint32_t> mask_length(const std::string& text) {
  constexpr std::uint32_t kNoMask = 1;  // has a hole
  std::uint32_t mask = 0;
  if (text.starts_with("0x")) {
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), mask, 16);
    if (error != std::errc() || end != text.data() + text.size()) mask = kNoMask;
  } else {
    const Result<IpAddress> parsed = IpAddress::parse(text);
    mask = parsed && parsed->is_v4() ? parsed->v4_number() : kNoMask;
  }
  const auto bits = static_cast<std::uint32_t>(std::countl_one(mask));
  if (bits == 32 || mask << bits == 0) return bits;
  return fail(EINVAL, "'netmask' wants one, as in 255.255.255.0 or 0xffffff00, not '" + text + "'");
}

// Behind inet or inet6: ADDRESS[/LENGTH] [netmask M | prefixlen N] [alias | -alias | delete].
Result<IfconfigCall> parse_address(const std::string& ifname, const std::string& family, Words& words) {
  Result<std::string> address = words.value_of(family);
  if (!address) return address.error();
  std::optional<std::uint32_t> bits;
  bool gone = false, alias = family == "inet6";  // BSD's IPv6 only ever adds
  while (!words.empty()) {
    if (words.take_if("alias")) {
      alias = true;
      continue;
    }
    if (words.take_if("-alias") || words.take_if("delete")) {
      gone = true;
      continue;
    }
    const std::string word = words.peek();
    if (word != "netmask" && word != "prefixlen") break;
    words.take();
    const Result<std::string> value = words.value_of(word);
    if (!value) return value.error();
    const Result<std::uint32_t> length = word == "netmask" ? mask_length(*value) : number(word, *value, 128);
    if (!length) return length.error();
    bits = *length;
  }
  if (bits) *address += '/' + std::to_string(*bits);
  if (!gone && address->find('/') == std::string::npos) {
    return fail(EINVAL, "how long is the network of " + *address + "? Say " + *address +
                            (family == "inet" ? "/24, or netmask 255.255.255.0" : "/64, or prefixlen 64"));
  }
  return IfconfigCall{{gone ? "addr.del" : "addr.add", {{"ifname", ifname}, {"local", *address}}}, !gone && !alias};
}

// The words of iproute2 that BSD has others for, or none.
struct Flag {
  std::string_view ours, bsd;
  std::uint32_t bit;  // NetBSD: sys/net/if.h
};
constexpr std::array kFlags = {Flag{"UP", "UP", 0x1},
                               Flag{"BROADCAST", "BROADCAST", 0x2},
                               Flag{"DEBUG", "DEBUG", 0x4},
                               Flag{"LOOPBACK", "LOOPBACK", 0x8},
                               Flag{"POINTOPOINT", "POINTOPOINT", 0x10},
                               Flag{"LOWER_UP", "RUNNING", 0x40},
                               Flag{"NOARP", "NOARP", 0x80},
                               Flag{"PROMISC", "PROMISC", 0x100},
                               Flag{"ALLMULTI", "ALLMULTI", 0x200},
                               Flag{"MULTICAST", "MULTICAST", 0x8000}};

std::string flags_text(const Json& flags) {
  std::uint32_t bits = 0;
  std::string names;
  for (const Flag& flag : kFlags) {
    if (std::find(flags.begin(), flags.end(), flag.ours) == flags.end()) continue;
    bits |= flag.bit;
    names.append(names.empty() ? "" : ",").append(flag.bsd);
  }
  return fmt::format("{:#x}<{}>", bits, names);
}

std::string address_text(const Json& address, std::uint64_t ifindex) {
  const std::string family = address.value("family", std::string());
  std::string line = fmt::format("\t{} {}/{}", family, address.value("local", std::string()),
                                 address.value("prefixlen", std::uint64_t{0}));
  if (address.contains("broadcast")) line += " broadcast " + address.value("broadcast", std::string());
  std::string states;
  for (const auto& [ours, bsd] : {std::pair("tentative", "TENTATIVE"), std::pair("dadfailed", "DUPLICATED"),
                                  std::pair("deprecated", "DEPRECATED")}) {
    if (address.contains(ours)) states += std::string(states.empty() ? "" : ",") + bsd;
  }
  line += states.empty() ? " flags 0" : fmt::format(" flags <{}>", states);
  if (address.value("scope", std::string()) == "link") line += fmt::format(" scopeid {:#x}", ifindex);
  return line + "\n";
}

}  // namespace

std::string ifconfig_usage() {
  return "  create | destroy\n"
         "  [up | down] [linkstr S | -linkstr] [mtu N] [link MAC] [[-]promisc] [[-]allmulti]\n"
         "  inet ADDRESS/LENGTH | inet ADDRESS netmask MASK | inet6 ADDRESS/LENGTH     behind it alias: one more, or "
         "delete\n";
}

Result<std::vector<IfconfigCall>> parse_ifconfig_words(const std::vector<std::string>& all) {
  Words words(all);
  if (words.empty()) return std::vector<IfconfigCall>();
  const std::string ifname = words.take();
  const bool creates = words.take_if("create");
  IfconfigCall link{{creates ? "link.add" : "link.set", {{"ifname", ifname}}}};
  std::vector<IfconfigCall> addresses;
  if (!creates && words.take_if("destroy")) {
    if (words.empty()) return std::vector{IfconfigCall{{"link.del", link.params}}};
    return fail(EINVAL, "nothing may stand behind 'destroy'");
  }
  while (!words.empty()) {
    const std::string word = words.take();
    const auto setting = std::ranges::find(kSettings, word, &Setting::word);
    if (setting != kSettings.end()) {
      Result<Json> value = setting_value(*setting, words);
      if (!value) return value.error();
      const std::string param(setting->param);
      if (link.params.contains(param)) return fail(EINVAL, "'" + word + "' is said twice, or against another word");
      link.params[param] = std::move(*value);
    } else if (word == "inet" || word == "inet6") {
      Result<IfconfigCall> address = parse_address(ifname, word, words);
      if (!address) return address.error();
      addresses.push_back(std::move(*address));
    } else {
      return fail(EINVAL, "'" + word + "' means nothing here; behind " + ifname + " may stand\n" + ifconfig_usage());
    }
  }
  std::vector<IfconfigCall> calls;
  if (creates || link.params.size() > 1) calls.push_back(std::move(link));
  calls.insert(calls.end(), addresses.begin(), addresses.end());
  return calls;
}

std::string ifconfig_text(const Json& links) {
  std::string text;
  for (const Json& link : links) {
    text += fmt::format("{}: flags={} mtu {}\n", link.value("ifname", std::string()),
                        flags_text(link.value("flags", Json::array())), link.value("mtu", std::uint64_t{0}));
    const Json own = link.value("virtif", Json::object());
    if (own.contains("linkstr") && own["linkstr"].is_string()) {
      text += "\tlinkstr: " + own["linkstr"].get<std::string>() + "\n";
    }
    text += "\taddress: " + link.value("address", std::string()) + "\n";
    const std::string state = link.value("operstate", std::string());
    text += fmt::format("\tstatus: {}\n", state == "UP" ? "active" : state == "DOWN" ? "no carrier" : "unknown");
    for (const Json& address : link.value("addr_info", Json::array())) {
      text += address_text(address, link.value("ifindex", std::uint64_t{0}));
    }
  }
  return text;
}

}  // namespace vif::tools
