// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl replay --to LINKSTR`: sends captures on a link, compares what comes back, and gives a verdict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hypercall/replay/link_replay.hpp"
#include "tools/virtifctl/expect_options.hpp"

namespace vif::tools {

struct PlayJob {
  std::vector<std::string> files;  // as the command line names them
  host::LinkReplayRequest replay;
  std::optional<ExpectRequest> expect;
  std::optional<std::string> report;  // a folder
  bool json = false;
};

// The exit status: 0 every frame reached the link and what was expected came back; 1 not so, or a capture was damaged,
// or it was interrupted; 3 the captures, the link or the report could not be opened, or the link had no carrier.
int play(const PlayJob& job);

}  // namespace vif::tools
