// SPDX-License-Identifier: BSD-2-Clause
// CLI::Range lets "nan" through, which is neither below nor above anything.
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>

namespace vif::tools {

// Beside CLI::Range, for an option of type double. Any thread.
inline CLI::Validator number_check() {
  return {[](std::string& text) {
            return std::isnan(std::strtod(text.c_str(), nullptr)) ? std::string("a number was expected")
                                                                  : std::string();
          },
          ""};
}

}  // namespace vif::tools
