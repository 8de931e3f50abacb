// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/html_page.hpp"

#include <fmt/core.h>

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

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
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
