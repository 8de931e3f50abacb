// SPDX-License-Identifier: BSD-2-Clause
// libpcap's filter language, compiled to a program that netstack/ runs. Here and not there, because libpcap's compiler
// reads host files and asks the resolver when an expression holds names.
#pragma once

#include <cstdint>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/bpf_program.hpp"

namespace vif::host {

enum class Names : std::uint8_t {
  numeric,   // an expression that would need a lookup is refused before libpcap sees it
  resolved,  // hosts, networks, services and protocols are looked up on the host; may block
};

inline constexpr std::size_t kFilterExpressionBytesMax = 4096;

// The program for Ethernet frames that match `expression` (pcap-filter(7)); an empty one, or only blanks, accepts all.
// EINVAL: libpcap's own words, or the name that would need a lookup, or what only a capturing socket could answer
// (inbound, outbound, ifindex), or a filter that needs a loop (protochain). Any thread.
VIF_API Result<net::BpfProgram> compile_filter(std::string_view expression, Names names = Names::numeric);

}  // namespace vif::host
