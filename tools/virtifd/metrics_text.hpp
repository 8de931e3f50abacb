// SPDX-License-Identifier: BSD-2-Clause
// What virtifd measures, as OpenMetrics text 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/). The counters
// are those of `virtifctl link show -s`; docs/metrics.md lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hypercall/host/node.hpp"

namespace vif::tools {

inline constexpr const char* kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

// What belongs to the domain, taken at one moment.
struct NodeReading {
  struct Interface {
    std::string ifname, address, linkstr;
    bool up, carrier;
    std::uint32_t mtu_bytes;
    net::IfData data;
  };
  std::vector<Interface> interfaces;
  std::uint64_t events = 0;
};

// What belongs to the control plane.
struct ControlReading {
  std::uint64_t clients = 0, requests = 0;
};

// All but the events. On the domain's thread.
NodeReading read_node(host::Node& node);

// The whole exposition, `# EOF` included. Any thread.
std::string metrics_text(const NodeReading& node, const ControlReading& control);

}  // namespace vif::tools
