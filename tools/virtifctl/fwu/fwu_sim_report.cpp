// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_sim_report.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "hypercall/linux_ports.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/stream.hpp"
#include "tools/virtifctl/fwu/fwu_text.hpp"
#include "tools/virtifctl/html_page.hpp"

namespace vif::tools {
namespace {

std::string box(int x, int y, const std::string& kind, const std::string& above, const std::string& below) {
  return fmt::format(
      R"(<rect class='{}' x='{}' y='{}' width='330' height='46' rx='6'/>
<text x='{}' y='{}'>{}</text>
<text class='small' x='{}' y='{}'>{}</text>
)",
      kind, x, y, x + 165, y + 19, escaped(above), x + 165, y + 37, escaped(below));
}

std::string arrow(int x1, int y1, int x2, int y2) {
  const int middle = (x1 + x2) / 2;
  return fmt::format("<path d='M{} {} C{} {} {} {} {} {}' marker-end='url(#head)'/>\n", x1, y1, middle, y1, middle, y2,
                     x2 - 8, y2);
}

// The power goes on the left, the same command is given on the right.
std::string picture(const FwuSimReport& report) {
  constexpr int kRow = 70, kLeft = 10, kMiddle = 430, kRight = 850;
  const int height = static_cast<int>(report.seen.size()) * kRow + 20, centre = height / 2;
  std::string svg = fmt::format(
      R"(<svg viewBox='0 0 1190 {}' role='img' aria-label='The states of the metadata'>
<defs><marker id='head' viewBox='0 0 8 8' refX='1' refY='4' markerWidth='7' markerHeight='7' orient='auto'>
<path class='head' d='M0 0 L8 4 L0 8z'/></marker></defs>
)",
      height);
  svg += box(kLeft, centre - 23, "begin", report.begin, "before the update");
  svg +=
      box(kRight, centre - 23, "end", report.end, fmt::format("{} of {} come here", report.converged, report.states));
  int y = 10 + kRow / 2;
  for (const auto& [state, count] : report.seen) {
    svg += arrow(kLeft + 330, centre, kMiddle, y) + arrow(kMiddle + 330, y, kRight, centre);
    svg += box(kMiddle, y - 23, "cut", state, fmt::format("{} times when the power went", count));
    y += kRow;
  }
  return svg + "</svg>\n";
}

constexpr const char* kStyle =
    R"(svg text{font-size:13px;text-anchor:middle;fill:var(--ink)}svg .small{font-size:11px;fill:var(--soft)}
path{fill:none;stroke:var(--soft)}.head{fill:var(--soft);stroke:none}rect{stroke:var(--line);fill:var(--panel)}
.begin{stroke:var(--sent)}.end{stroke:var(--good)}
)";

}  // namespace

void print_text(const FwuSimReport& report) {
  fmt::print("{} crash states, {} of them brought to the end by the same command\n", report.states, report.converged);
  for (const auto& [state, count] : report.seen) {
    fmt::print("  {:6}x {}\n          └─> {}\n", count, state, report.end);
  }
  for (const std::string& failure : report.failures) fmt::print("failed: {}\n", fwu_printable(failure));
}

void print_json(const FwuSimReport& report) {
  const nlohmann::json all = {{"crash_states", report.states},
                              {"converged", report.converged},
                              {"states", report.seen},
                              {"end", report.end},
                              {"failures", report.failures}};
  fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

Status write_html(const FwuSimReport& report, const std::string& path) {
  std::string body = fmt::format(
      R"(<h1>Power cuts during an update of {}</h1>
<p>The power was cut at every write, with every subset of what was not flushed (a sample where there are too
many). {} states of the medium came of it; the same command brought {} of them to the end.</p>
{})",
      escaped(report.image), report.states, report.converged, picture(report));
  for (const std::string& failure : report.failures) body += "<p class='bad'>" + escaped(failure) + "</p>\n";
  const std::string page = html_page("Power cuts: " + report.image, kStyle, body);
  host::LinuxFiles files;
  Result<std::unique_ptr<ByteSink>> file = files.create_sink(path);
  if (!file) return std::move(file).error();
  return (*file)->append(as_bytes(page));
}

}  // namespace vif::tools
