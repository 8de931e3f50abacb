// SPDX-License-Identifier: BSD-2-Clause
// The words of a command line as ip(8) takes them: options in front of the command, and commands that are only begun.
// Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vif::tools {

// The one of `known` that `word` is, or else the only one that it begins; empty: none, or several.
std::string_view completed(std::string_view word, std::span<const std::string_view> known);

// The one of `known` that whoever wrote `word` probably meant; empty: none is near.
std::string_view meant(std::string_view word, std::span<const std::string_view> known);

// `words` behind the program's name, with ip(8)'s options behind the command, as ours, and the command, one of
// `commands`, in full where it is clear. What ip(8) does not know stays as it is.
std::vector<std::string> as_of_ip(std::vector<std::string> words, std::span<const std::string_view> commands);

}  // namespace vif::tools
