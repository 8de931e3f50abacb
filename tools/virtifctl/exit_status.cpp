// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/exit_status.hpp"

#include <cstdio>

namespace vif::tools {

int failed(const std::string& text, int status) {
  std::fprintf(stderr, "virtifctl: %s\n", text.c_str());
  return status;
}

int failed(const Error& error, int status) { return failed(error.text, status); }

int misused(const char* command, const std::string& text) {
  std::fprintf(stderr, "virtifctl %s: %s\nRun with --help for more information.\n", command, text.c_str());
  return kUsage;
}

int flushed(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  return failed("the result could not be written to the end", status);
}

}  // namespace vif::tools
