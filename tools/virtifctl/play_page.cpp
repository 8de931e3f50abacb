// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_page.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "tools/virtifctl/html_page.hpp"
#include "tools/virtifctl/play_charts.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kFailuresShown = 25, kFlowsShown = 50, kFilesShown = 20;

constexpr const char* kStyle =
    R"(.PASS,.FAIL{display:inline-block;color:var(--paper);background:var(--good);border-radius:.4rem;
padding:.1rem .7rem;margin-right:.8rem;font-size:1.1rem;vertical-align:.12em}
.FAIL{background:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.6rem,1fr));gap:.6rem;margin:1.4rem 0 0;padding:0}
.tiles div{background:var(--panel);border-radius:.5rem;padding:.55rem .8rem}
.tiles dt{color:var(--soft);font-size:.85rem}
.tiles dd{margin:0;font-size:1.2rem;font-variant-numeric:tabular-nums}
.tiles small{display:block;color:var(--soft);font-size:.85rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:0 2rem}
.pair h3{margin:.4rem 0 0;font-size:.95rem;font-weight:500}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}rect.sent,i.sent{fill:var(--sent);background:var(--sent)}
rect.received,i.received{fill:var(--got);background:var(--got)}
path.failed,i.failed{fill:var(--bad);background:var(--bad)}.legend{margin:0}
.legend i{display:inline-block;width:.7rem;height:.7rem;border-radius:.15rem;margin:0 .4rem 0 1rem}
.legend i:first-child{margin-left:0}
#faults{width:auto}tr.differs td{color:var(--bad);font-weight:600}tr.ignored{opacity:.45}
.scroll{overflow-x:auto}
)";

std::string tile(std::string_view name, const std::string& value, const std::string& beside = "") {
  return fmt::format("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>\n", escaped(name), escaped(value),
                     escaped(beside));
}

std::string of(std::uint64_t part, std::uint64_t all) {
  return part == all ? "all " + counted(all) : fmt::format("{} of {}", counted(part), counted(all));
}

std::string headline(const Played& played) {
  const std::uint64_t all = played.report.totals.records;
  std::string text;
  if (played.report.early) text = fmt::format("{} of {} frames tried were sent", counted(played.sent()), counted(all));
  else if (!played.verdict || !played.report.complete()) text = of(played.sent(), all) + " frames were sent";
  if (played.verdict) {
    text += fmt::format("{}{} frames came back as expected{}", text.empty() ? "" : ", ",
                        of(as_expected(*played.verdict), played.verdict->expected), faults_text(*played.verdict));
  }
  text.front() = static_cast<char>(text.front() == 'a' ? 'A' : text.front());
  return text;
}

std::string head(const Played& played) {
  const char* const verdict = played.pass() ? "PASS" : "FAIL";
  std::string html = fmt::format(
      R"(<h1><span id="verdict" class="{0}">{0}</span>{1}</h1>
<p class="soft">)",
      verdict, escaped(headline(played)));
  std::size_t shown = 0;
  for (const std::string& file : played.files) {
    if (shown == kFilesShown) break;
    html += fmt::format("{}{}", shown++ == 0 ? "" : " + ", escaped(file));
  }
  if (played.files.size() > shown) html += fmt::format(" + {} more", played.files.size() - shown);
  html += fmt::format(" to {}", escaped(played.to()));
  if (played.report.totals.skipped > 0) {
    html += fmt::format("; --send left out {} frames", counted(played.report.totals.skipped));
  }
  if (played.report.received_before > 0) {
    html += fmt::format("; {} came before the start", counted(played.report.received_before));
  }
  html += "</p>\n";
  for (const std::string& error : {played.report.error, played.host_error}) {
    if (!error.empty()) html += "<p class=\"bad\">" + escaped(error) + "</p>\n";
  }
  if (played.interrupted) html += "<p class=\"bad\">It was interrupted.</p>\n";
  if (played.report.early) html += fmt::format("<p class=\"bad\">It ended {}.</p>\n", kEndedEarly);
  return html;
}

std::string tiles(const Played& played) {
  const host::LinkReplayReport& report = played.report;
  const net::ReplayTotals& totals = report.totals;
  const auto below = [](const TimeBuckets& buckets) { return fmt::format("< {} µs", us_below(buckets, 990)); };
  std::string html = "<dl class=\"tiles\">\n";
  html += tile("frames sent", counted(played.sent()), "of " + counted(totals.records));
  html += tile("bytes sent", counted(totals.wire_bytes));
  html += tile("time", fmt::format("{:.3f} s", report.seconds()));
  if (const auto rate = played.frames_per_second()) {
    html += tile("rate", counted(static_cast<std::uint64_t>(*rate + 0.5)), "frames/s");
  }
  html += tile("frames received", counted(report.received));
  if (played.verdict)
    html += tile("as expected", counted(as_expected(*played.verdict)), "of " + counted(played.verdict->expected));
  if (us_below(totals.late_us, 990) > 0) html += tile("99% late by", below(totals.late_us));
  return html + "</dl>\n";
}

std::string side_by_side(const net::ExpectFailure& failure) {
  std::string html =
      R"(<table id="difference">
<tr><th>field</th><th>expected</th><th>received</th></tr>
)";
  for (const net::FieldComparison& line : failure.fields) {
    html += fmt::format(
        R"(<tr class="{}"><th>{}</th><td class="mono">{}</td><td class="mono">{}</td></tr>
)",
        line.differs   ? "differs"
        : line.ignored ? "ignored"
                       : "same",
        escaped(line.name), escaped(line.expected), escaped(line.received));
  }
  return html + "</table>\n";
}

std::string failures(const net::ExpectVerdict& verdict) {
  if (verdict.failures.empty()) return "";
  const net::ExpectFailure& first = verdict.failures.front();
  std::string html = fmt::format(
      R"(<h2>The first difference</h2>
<p class="failure"><b class="bad">{}</b> {}</p>
)",
      net::name(first.fault), escaped(first.text));
  if (!first.fields.empty()) html += side_by_side(first);
  std::size_t all = 0;
  for (const std::size_t count : verdict.faults) all += count;
  html += "<h2>All that was not as expected</h2>\n<table id=\"faults\">\n";
  for (std::size_t i = 0; i < net::kExpectFaults; ++i) {
    if (verdict.faults[i] == 0) continue;
    html += fmt::format("<tr><th>{}</th><td class=\"n\">{}</td></tr>\n", net::kExpectFaultNames[i],
                        counted(verdict.faults[i]));
  }
  html += "</table>\n<ol>\n";
  const std::size_t shown = std::min(verdict.failures.size(), kFailuresShown);
  for (std::size_t i = 0; i < shown; ++i) {
    html +=
        fmt::format("<li><b>{}</b> {}</li>\n", net::name(verdict.failures[i].fault), escaped(verdict.failures[i].text));
  }
  html += "</ol>\n";
  if (all > shown) {
    html += fmt::format(
        R"(<p class="soft">and {} more; report.json and received.pcapng say more of them</p>
)",
        counted(all - shown));
  }
  return html;
}

std::string punctuality(const net::ReplayTotals& totals) {
  if (us_below(totals.late_us, 1) == 0) return "";  // at top speed all is due at once
  const auto column = [](const char* title, const std::string& picture, Time most) {
    return fmt::format(
        R"(<div><h3>{} <span class="soft">at most {:.1f} µs</span></h3>
{}</div>
)",
        title, static_cast<double>(most.count()) / 1000, picture);
  };
  std::string html =
      R"(<h2>How punctual it was</h2>
<p class="soft">Frames by time, each bar up to the label at its right.</p>
<div class="pair">
)";
  html += column("Later than due", histogram("late", totals.late_us), totals.late_max);
  if (us_below(totals.gap_error_us, 1) > 0) {
    html += column("Error of the gap before", histogram("gap-error", totals.gap_error_us), totals.gap_error_max);
  }
  return html + "</div>\n";
}

constexpr std::array<std::string_view, net::kReplayRefusals> kRefusalMeanings = {
    "is not Ethernet", "is in the capture with its beginning only", "has fewer than the 14 bytes of an Ethernet header",
    "is longer than the link takes, or --mtu allows", "likewise, and its sender forbade to split it"};

std::string not_sent(const Played& played) {
  const net::ReplayTotals& totals = played.report.totals;
  std::string rows;
  const auto row = [&](std::string_view name, std::uint64_t frames, std::string_view meaning) {
    if (frames == 0) return;
    rows += fmt::format(
        R"(<tr><td>{}</td><td class="n" data-frames="{}">{}</td><td class="soft">{}</td></tr>
)",
        name, frames, counted(frames), meaning);
  };
  for (std::size_t i = 0; i < net::kReplayRefusals; ++i) {
    row(net::kReplayRefusalNames[i], totals.refused[i], kRefusalMeanings[i]);
  }
  row("failed", played.failed(), "the link did not take it, or lost it later");
  row("truncated", totals.truncated, "only its beginning was sent: it was too long");
  row("unreadable", played.report.unreadable, "arrived with work left undone that could not be done");
  if (rows.empty()) return "";
  return fmt::format(R"(<h2>Refused and dropped, by reason</h2>
<table id="refused">
<tr><th>reason</th><th class="n">frames</th><th>the frame</th></tr>
{}</table>
)",
                     rows);
}

// Where there are two.
std::string links(const Played& played) {
  if (played.report.links.size() < 2) return "";
  std::string html =
      R"(<h2>The two sides</h2>
<table id="links">
<tr><th></th><th>link</th><th class="n">frames sent</th><th class="n">bytes</th><th class="n">received</th>
<th class="n">as expected</th></tr>
)";
  for (std::size_t i = 0; i < played.report.links.size(); ++i) {
    const host::LinkReplayReport::Link& link = played.report.links[i];
    html +=
        fmt::format("<tr><th>{}</th><td class=\"mono\">{}</td>", i == 0 ? "clients" : "servers", escaped(link.linkstr));
    for (const std::uint64_t number : {link.sent_frames, link.sent_bytes, link.received}) {
      html += fmt::format("<td class=\"n\">{}</td>", counted(number));
    }
    html +=
        fmt::format("<td class=\"n\">{}</td></tr>\n",
                    played.verdicts.empty() ? "" : of(as_expected(played.verdicts[i]), played.verdicts[i].expected));
  }
  return html + "</table>\n";
}

std::string flows(const net::ReplayLog& log) {
  if (log.flows() == 0) return "";
  std::string html =
      R"(<h2>Flows</h2>
<div class="scroll"><table id="flows">
<tr><th></th><th>between</th><th>and</th><th class="n">sent</th><th class="n">bytes</th>
<th class="n">received</th><th class="n">bytes</th><th class="n">not as expected</th></tr>
)";
  const std::vector<net::ReplayLog::Flow> busiest = log.busiest(kFlowsShown);
  for (const net::ReplayLog::Flow& flow : busiest) {
    html +=
        fmt::format("<tr><td>{}</td><td class=\"mono\">{}</td><td class=\"mono\">{}</td>", flow.between.protocol_text(),
                    flow.between.end_text(flow.between.source), flow.between.end_text(flow.between.destination));
    for (const std::uint64_t number : {flow.sent, flow.sent_bytes, flow.received, flow.received_bytes}) {
      html += fmt::format("<td class=\"n\">{}</td>", counted(number));
    }
    html += fmt::format("<td class=\"n{}\">{}</td></tr>\n", flow.failed > 0 ? " bad" : "", counted(flow.failed));
  }
  html += "</table></div>\n";
  if (log.flows() > busiest.size()) {
    html += fmt::format("<p class=\"soft\" id=\"more-flows\">and {} more flows</p>\n",
                        counted(log.flows() - busiest.size()));
  }
  if (log.frames_of_other_flows() > 0) {
    html += fmt::format(
        R"(<p class="soft">{} frames are of still others, which were not counted one by one</p>
)",
        counted(log.frames_of_other_flows()));
  }
  return html;
}

}  // namespace

std::string play_page(const Played& played) {
  std::string body = head(played) + tiles(played);
  if (played.log && !played.log->bins().empty()) body += "<h2>Time line</h2>\n" + time_line(*played.log);
  if (played.verdict) body += failures(*played.verdict);
  body += links(played) + not_sent(played) + punctuality(played.report.totals);
  if (played.log) body += flows(*played.log);
  body += R"(<p class="soft" style="margin-top:2.5rem">virtifctl replay )" VIF_VERSION "</p>\n";
  return html_page(fmt::format("{} - virtifctl replay", played.pass() ? "PASS" : "FAIL"), kStyle, body);
}

}  // namespace vif::tools
