// SPDX-License-Identifier: BSD-2-Clause
// Which words of a capture filter libpcap would have to look up on the host.
#pragma once

#include <string_view>

#include "netstack/base/result.hpp"

namespace vif::host {

// Fails on the first word of `expression` that is neither a keyword of pcap-filter(7), a number, an address, nor a word
// of a list that libpcap holds itself; errs on the side of refusing. Says nothing about grammar. Any thread.
Status check_numeric(std::string_view expression);

}  // namespace vif::host
