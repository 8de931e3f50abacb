// SPDX-License-Identifier: BSD-2-Clause
// How virtifctl ends, and what it says of that on standard error. One thread.
#pragma once

#include <string>

#include "netstack/base/result.hpp"

namespace vif::tools {

// 1: it failed, or somebody refused it. 2: the words were wrong. 128 + N: signal N ended it.
inline constexpr int kFailed = 1, kUsage = 2, kSignalled = 128;

// Says "virtifctl: TEXT", and returns the status.
int failed(const std::string& text, int status = kFailed);
int failed(const Error& error, int status = kFailed);
// The same behind "virtifctl COMMAND: ", with where to read more.
int misused(const char* command, const std::string& text);

// Hands on what was printed: 0, or `status` when not all of it went out.
int flushed(int status = kFailed);

}  // namespace vif::tools
