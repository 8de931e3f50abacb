// SPDX-License-Identifier: BSD-2-Clause
// The report of a replay in a folder: report.json, junit.xml for a build server, and report.html for people, one page
// that needs nothing else.
#pragma once

#include "tools/virtifctl/play_json.hpp"

namespace vif::tools {

// Makes the folder where there is none. Errors: the host's.
Status make_report_folder(const std::string& folder);
// Writes the three files. Errors: the host's.
Status write_report(const std::string& folder, const Played& played);

}  // namespace vif::tools
