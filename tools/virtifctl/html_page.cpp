// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/html_page.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace vif::tools {
namespace {

constexpr const char* kStyle =
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#5d6671;--line:#d5dae0;--panel:#f4f6f8;--paper:#fff;"
    "--good:#1a7f47;--bad:#c4262e;--sent:#3273c5;--got:#0f8f8a}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#98a2ae;--line:#353c45;--panel:#1d2229;"
    "--paper:#14181d;--good:#4cc38a;--bad:#ff6b6b;--sent:#6aa5ef;--got:#3fc2bb}}\n"
    "body{margin:0 auto;max-width:64rem;padding:2rem 1.25rem 3rem;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.35rem;line-height:1.25;margin:0}h2{font-size:1.05rem;margin:2.5rem 0 .6rem}"
    "p{margin:.4rem 0}.soft{color:var(--soft)}.bad{color:var(--bad)}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top}"
    "th{font-weight:500;color:var(--soft)}td{font-variant-numeric:tabular-nums}"
    "th.n,td.n{text-align:right}th:last-child,td:last-child{padding-right:0}td.mono{font-family:ui-monospace,monospace;"
    "font-size:.9em;overflow-wrap:anywhere}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font:12px system-ui,sans-serif;"
    "font-variant-numeric:tabular-nums}\n";

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// How many bytes the character takes that `text` begins with; 0: it is no UTF-8 (RFC 3629, 4), or one of the two that
// XML leaves out (XML 1.0, 2.2).
std::size_t character_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
  if (first < 0xe0) return 2;
  const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);  // surrogates, > 10ffff
  if (is_overlong || is_outside || !follows(2)) return 0;
  if (first < 0xf0) return first == 0xef && second == 0xbf && at(2) >= 0xbe ? 0 : 3;
  return follows(3) ? 4 : 0;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (std::size_t bytes = 0; !text.empty(); text.remove_prefix(bytes)) {
    bytes = character_bytes(text);
    if (bytes != 1) safe += bytes == 0 ? kReplacement : text.substr(0, bytes);
    bytes = std::max<std::size_t>(bytes, 1);
    const char c = text.front();
    if (static_cast<unsigned char>(c) >= 0x80) continue;
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' && c != '\n' ? '?' : c;
    }
  }
  return safe;
}

std::string html_page(std::string_view title, std::string_view style, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>\n{}{}</style>\n</head>\n"
      "<body>\n{}</body>\n</html>\n",
      escaped(title), kStyle, style, body);
}

}  // namespace vif::tools
