// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "hypercall/write_all.hpp"

namespace vif::tools {
namespace {

constexpr int kIn = 0, kOut = 1;
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // the other screen, without a cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H", kEraseLine = "\x1b[K", kEraseBelow = "\x1b[J";
constexpr std::string_view kReverse = "\x1b[7m", kPlain = "\x1b[0m";

// A terminal that takes nothing more has nobody who looks.
void show(std::string_view text) { (void)host::write_all(kOut, as_bytes(text)); }

}  // namespace

Result<Screen> Screen::open() {
  if (::isatty(kOut) == 0) return fail(ENOTTY, "standard output is no terminal");
  const char* const kind = std::getenv("TERM");
  if (kind != nullptr && std::string_view(kind) == "dumb") return fail(ENOTTY, "this terminal has no escapes");
  Screen screen;
  screen.has_keys_ = ::tcgetattr(kIn, &screen.before_) == 0;
  screen.enter();
  return screen;
}

Screen::Screen(Screen&& other) noexcept
    : before_(other.before_), has_keys_(other.has_keys_), entered_(std::exchange(other.entered_, false)) {}

void Screen::enter() {
  if (std::exchange(entered_, true)) return;
  if (has_keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // signals stay the terminal's
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(kIn, TCSANOW, &raw);
  }
  show(kEnter);
}

void Screen::leave() {
  if (!std::exchange(entered_, false)) return;
  show(kLeave);
  if (has_keys_) ::tcsetattr(kIn, TCSANOW, &before_);
}

Screen::Size Screen::size() {
  winsize size{};
  if (::ioctl(kOut, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

std::optional<char> Screen::key() {
  char key = 0;
  if (::read(kIn, &key, 1) == 1) return key;
  return std::nullopt;
}

void Screen::draw(const std::vector<std::string>& lines, std::size_t emphasised) {
  std::string page(kHome);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    page.append(i == 0 ? "" : "\n").append(kEraseLine);
    if (i == emphasised) page.append(kReverse);
    page += lines[i];
    if (i == emphasised) page.append(kPlain);
  }
  if (lines.size() < size().lines) page.append("\n").append(kEraseBelow);
  show(page);
}

}  // namespace vif::tools
