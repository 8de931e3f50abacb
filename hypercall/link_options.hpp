// SPDX-License-Identifier: BSD-2-Clause
// What backends ask of the options in a link string, with one wording for all of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "virtif/linkstr.hpp"

namespace vif::host {

// EINVAL unless every option of `linkstr` is one of `known`; the text lists them.
Status only_options(const drv::Linkstr& linkstr, std::initializer_list<std::string_view> known);

// EINVAL unless there is a plain argument: `what` says what it is, as in "a segment's name".
Status needs_argument(const drv::Linkstr& linkstr, std::string_view what);

// The option's number, or `otherwise` without the option. EINVAL: not a decimal number from `least` to `most`.
struct NumberRange {
  std::uint64_t least, most;
};
Result<std::uint64_t> number_option(const drv::Linkstr& linkstr, std::string_view key, std::uint64_t otherwise,
                                    NumberRange range);

}  // namespace vif::host
