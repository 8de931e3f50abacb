// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl replay` prints: a table for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/replay.hpp"

namespace vif::tools {

struct ReplayedFile {
  std::string file;
  host::ReplayReport report;
};

void print_table(const std::vector<ReplayedFile>& files);

// One array, an object a file: {"file","frames","runts","other_linktype","passed":{"frames","bytes","sha256"},
// "dropped":{reason: frames, ...},"error"}. frames = passed.frames + all of dropped + other_linktype.
void print_json(const std::vector<ReplayedFile>& files);

}  // namespace vif::tools
