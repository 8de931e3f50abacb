// SPDX-License-Identifier: BSD-2-Clause
// Names for tools that take C identifiers only. Values, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vif::trace {

// Of each name one, no two the same: what is no letter, digit or '_' of ASCII becomes '_', and of several that would be
// alike all but the first get a number behind. One that is an identifier already stays, but for an earlier equal one.
std::vector<std::string> identifiers(std::span<const std::string> names);

}  // namespace vif::trace
