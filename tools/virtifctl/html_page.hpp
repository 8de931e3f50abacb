// SPDX-License-Identifier: BSD-2-Clause
// Pages for people: one file that loads nothing, for light and dark screens. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace vif::tools {

// For HTML and XML alike; control characters, which XML cannot say at all, become question marks, and what is no UTF-8,
// as in file names, U+FFFD.
std::string escaped(std::string_view text);

// `style` comes on top of what all pages share: colours (--ink, --soft, --line, --panel, --paper, --good, --bad,
// --sent, --got), type, tables (td.n holds a number) and SVG text. `body` is HTML already.
std::string html_page(std::string_view title, std::string_view style, std::string_view body);

}  // namespace vif::tools
