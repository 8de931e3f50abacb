// SPDX-License-Identifier: BSD-2-Clause
// A captured frame as a line for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hypercall/host/capture/capture_record.hpp"

namespace vif::tools {

// "12:00:01.123456789", the local time.
std::string time_of_day(std::int64_t time_ns);

// "12:00:01.123456789 virt0 out 02:…:01 > ff:…:ff, ARP, 42 bytes".
void print_frame(std::string_view ifname, const host::CaptureRecord& record);

}  // namespace vif::tools
