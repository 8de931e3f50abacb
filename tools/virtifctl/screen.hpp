// SPDX-License-Identifier: BSD-2-Clause
// The terminal as a page of lines that is drawn again and again, with keys read one by one. Its former state comes back
// when this goes. One thread; ECMA-48's sequences and xterm's alternate screen, which every terminal of today has.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "netstack/base/result.hpp"

namespace vif::tools {

class Screen {
 public:
  // ENOTTY: standard output is no terminal.
  static Result<Screen> open();
  Screen(Screen&& other) noexcept;
  Screen& operator=(Screen&&) = delete;
  ~Screen() { leave(); }

  struct Size {
    std::size_t columns, lines;
  };
  static Size size();  // 80 by 24 when the terminal does not say

  // Standard input when that is the terminal, too; -1: there are no keys.
  int keys_fd() const { return has_keys_ ? 0 : -1; }
  std::optional<char> key();

  // `lines` have no more columns than there are; line `emphasised` stands out.
  void draw(const std::vector<std::string>& lines, std::size_t emphasised);

  // Gives the terminal back, and takes it again: around a stop.
  void leave();
  void enter();

 private:
  Screen() = default;

  termios before_{};
  bool has_keys_ = false, entered_ = false;
};

}  // namespace vif::tools
