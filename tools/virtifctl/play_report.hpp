// SPDX-License-Identifier: BSD-2-Clause
// The report of a replay in a folder: report.json, junit.xml for a build server, and report.html for people, one page
// that needs nothing else.
#pragma once

#include "tools/virtifctl/play_json.hpp"

namespace vif::tools {

// EINVAL: the folder has no name, or a file that a report writes is one of `used`, which need not be there yet.
Status check_report_folder(const std::string& folder, const std::vector<std::string>& used, FilesPort& files);
// Makes the folder where there is none, and removes the files of an earlier report: whatever happens from now on, what
// lies there is not its verdict. Errors: the host's.
Status clear_report_folder(const std::string& folder);
std::string received_path(const std::string& folder);  // of the capture of what came
// Writes the other three files, each whether the others could be written or not. Errors: the host's.
Status write_report(const std::string& folder, const Played& played);

}  // namespace vif::tools
