// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_print.hpp"

#include <fmt/core.h>

#include <array>
#include <ctime>
#include <string>

#include "netstack/ether.hpp"

namespace vif::tools {
namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;

// Source: IEEE 802 Numbers (iana.org); below 0x0600 it is a length (IEEE 802.3-2018, 3.2.6).
std::string type_name(std::uint16_t type) {
  if (type == 0x0800) return "IPv4";
  if (type == 0x86dd) return "IPv6";
  if (type == 0x0806) return "ARP";
  if (type == 0x8100) return "VLAN";
  return type < 0x0600 ? "LLC" : fmt::format("type {:#06x}", type);
}

}  // namespace

std::string time_of_day(std::int64_t time_ns) {
  const auto seconds = static_cast<std::time_t>(time_ns / kNsPerS);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return fmt::format("{}.{:09}", text.data(), time_ns % kNsPerS);
}

void print_frame(std::string_view ifname, const host::CaptureRecord& record) {
  std::string what = "too short";
  if (record.body.size() >= net::kEtherHeaderBytes) {
    const net::EtherHeader header = net::EtherHeader::load(record.body.data());
    what = fmt::format("{} > {}, {}", header.src.to_string(), header.dst.to_string(), type_name(header.type));
  }
  fmt::print("{} {} {:3} {}, {} bytes\n", time_of_day(record.time_ns), ifname, record.outbound ? "out" : "in", what,
             record.wire_bytes);
}

}  // namespace vif::tools
