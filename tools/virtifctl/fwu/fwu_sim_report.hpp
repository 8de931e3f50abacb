// SPDX-License-Identifier: BSD-2-Clause
// What `fwu sim` found, and how it is told: as text, as JSON, and as a page with a picture of the states. Plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "netstack/base/result.hpp"

namespace vif::tools {

struct FwuSimReport {
  std::string image;
  std::string begin = {}, end = {};  // the metadata before and after the update
  std::size_t states = 0, converged = 0;
  std::map<std::string, std::size_t> seen = {};  // by state of the metadata
  std::vector<std::string> failures = {};
};

void print_text(const FwuSimReport& report);
void print_json(const FwuSimReport& report);

// A page that needs nothing else: the states as a graph (SVG), and every failure. Errors: the host's.
Status write_html(const FwuSimReport& report, const std::string& path);

}  // namespace vif::tools
