// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_charts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace vif::tools {
namespace {

constexpr double kLeft = 56, kRight = 948, kHalf = 100, kTop = 12;  // of a view 960 wide
constexpr std::size_t kBinsMin = 40;                                // so that little is not drawn large

// The least 1, 2 or 5 times a power of ten from `least` on.
double round_up(double least) {
  double power = std::pow(10, std::floor(std::log10(least)));
  for (const double times : {1.0, 2.0, 5.0, 10.0}) {
    if (power * times >= least * (1 - 1e-9)) return power * times;
  }
  return power * 10;
}

struct Unit {
  const char* name;
  double ns;
};

// The largest of which the time has so many.
Unit unit_of(double ns, double at_least) {
  constexpr Unit kUnits[] = {{"h", 3600e9}, {"min", 60e9}, {"s", 1e9}, {"ms", 1e6}};
  for (const Unit& unit : kUnits) {
    if (ns >= at_least * unit.ns) return unit;
  }
  return {"µs", 1e3};
}

std::string time_text(double ns) {
  const Unit unit = unit_of(ns, 1);
  return fmt::format("{:.3g} {}", ns / unit.ns, unit.name);
}

// In four digits and a comma at most.
std::string compact(std::uint64_t number) {
  constexpr std::pair<double, const char*> kPowers[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}};
  for (const auto& [least, name] : kPowers) {
    const double power = least == 1e4 ? 1e3 : least;
    if (static_cast<double>(number) >= least) return fmt::format("{:.3g}{}", static_cast<double>(number) / power, name);
  }
  return counted(number);
}

struct TimeLine {
  const net::ReplayLog& log;
  std::size_t bins;
  double most;  // frames at the top
  bool both;    // something came, too

  double axis() const { return kTop + kHalf; }
  double bottom() const { return axis() + (both ? kHalf : 0); }
  double x(double bin) const { return kLeft + (kRight - kLeft) * bin / static_cast<double>(bins); }
  double height(std::uint64_t frames) const { return kHalf * static_cast<double>(frames) / most; }
  double bin_ns() const { return static_cast<double>(log.bin_width().count()); }
};

std::string bar(const TimeLine& line, std::size_t index, std::uint64_t frames, const char* kind) {
  if (frames == 0) return "";
  const bool up = *kind == 's';
  const double height = std::max(line.height(frames), 1.0), begin = line.x(static_cast<double>(index));
  const double width = std::max(line.x(static_cast<double>(index + 1)) - begin - 0.6, 1.0);
  return fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" data-frames=\"{}\">"
      "<title>{} {} from {}</title></rect>\n",
      kind, begin, up ? line.axis() - height : line.axis(), width, height, frames, counted(frames), kind,
      time_text(static_cast<double>(index) * line.bin_ns()));
}

std::string mark(const TimeLine& line, std::size_t index, std::uint64_t failed) {
  if (failed == 0) return "";
  const double x = line.x(static_cast<double>(index) + 0.5), y = line.bottom() + 5;
  return fmt::format(
      "<path class=\"failed\" d=\"M{:.1f} {:.1f}l4.5 8h-9z\" data-frames=\"{}\"><title>{} not as expected, from {}"
      "</title></path>\n",
      x, y, failed, counted(failed), time_text(static_cast<double>(index) * line.bin_ns()));
}

std::string frames_axis(const TimeLine& line) {
  std::string svg;
  const auto grid = [&](double y, double frames) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        kLeft, kRight, y, y, kLeft - 8, y + 4, counted(static_cast<std::uint64_t>(frames)));
  };
  const double half = line.most / 2;
  for (const double frames : {half, line.most}) {
    if (frames != std::floor(frames)) continue;
    grid(line.axis() - kHalf * frames / line.most, frames);
    if (line.both) grid(line.axis() + kHalf * frames / line.most, frames);
  }
  return svg;
}

std::string seconds_axis(const TimeLine& line) {
  const double span_ns = static_cast<double>(line.bins) * line.bin_ns();
  const Unit unit = unit_of(span_ns, 2);
  const double step = round_up(span_ns / unit.ns / 10);
  std::string svg;
  for (double at = 0; at <= span_ns / unit.ns * (1 + 1e-9); at += step) {
    const double x = line.x(at * unit.ns / line.bin_ns());
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.0f}\" y2=\"{2:.0f}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:.0f}\" text-anchor=\"middle\">{4:.6g}{5}</text>\n",
        x, line.bottom() + 16, line.bottom() + 20, line.bottom() + 34, at,
        at == 0 ? fmt::format(" {}", unit.name) : "");
  }
  return svg;
}

}  // namespace

std::string counted(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string time_line(const net::ReplayLog& log) {
  std::uint64_t most = 1, received = 0;
  for (const net::ReplayLog::Bin& bin : log.bins()) {
    most = std::max({most, bin.sent, bin.received});
    received += bin.received;
  }
  const TimeLine line{log, std::max(log.bins().size(), kBinsMin), round_up(static_cast<double>(most)), received > 0};
  std::string svg = fmt::format(
      "<svg id=\"time-line\" viewBox=\"0 0 960 {:.0f}\" role=\"img\" aria-label=\"Frames sent and received over "
      "time\">\n",
      line.bottom() + 40);
  svg += frames_axis(line);
  for (std::size_t i = 0; i < log.bins().size(); ++i) {
    const net::ReplayLog::Bin& bin = log.bins()[i];
    svg += bar(line, i, bin.sent, "sent") + bar(line, i, bin.received, "received") + mark(line, i, bin.failed);
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kLeft, kRight,
                     line.axis(), line.axis());
  svg += seconds_axis(line) + "</svg>\n";
  return fmt::format("<p class=\"legend soft\"><i class=\"sent\"></i>frames sent{}{} &nbsp; in bars of {}</p>\n{}",
                     received > 0 ? "<i class=\"received\"></i>received" : "",
                     std::any_of(log.bins().begin(), log.bins().end(), [](const auto& bin) { return bin.failed > 0; })
                         ? "<i class=\"failed\"></i>not as expected"
                         : "",
                     time_text(line.bin_ns()), svg);
}

std::string histogram(const std::string& name, const TimeBuckets& buckets) {
  constexpr double kWidth = 470, kBase = 150, kHeight = 122, kLeftEnd = 4, kRightEnd = 444, kLabelWidth = 52;
  const auto is_used = [](std::uint64_t count) { return count > 0; };
  const auto first = std::find_if(buckets.begin(), buckets.end(), is_used);
  if (first == buckets.end()) return "";
  const auto end = std::find_if(buckets.rbegin(), buckets.rend(), is_used).base();
  const auto from = static_cast<std::size_t>(first - buckets.begin());
  const auto count = std::max<std::size_t>(static_cast<std::size_t>(end - first), 8);
  const auto most = static_cast<double>(*std::max_element(first, end));
  std::string svg =
      fmt::format("<svg id=\"{0}\" viewBox=\"0 0 {1:.0f} 176\" role=\"img\" aria-label=\"{0}\">\n", name, kWidth);
  const double step = (kRightEnd - kLeftEnd) / static_cast<double>(count);
  const double number_px = std::min(12.0, step / 2.6);  // "12.3k" fits over its bar
  const auto labelled = static_cast<std::size_t>(std::ceil(kLabelWidth / step));
  for (std::size_t i = 0; i < count && from + i < buckets.size(); ++i) {
    const std::uint64_t frames = buckets[from + i];
    const double x = kLeftEnd + step * static_cast<double>(i), height = kHeight * static_cast<double>(frames) / most;
    if (frames > 0) {
      svg += fmt::format(
          "<rect class=\"sent\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" data-frames=\"{}\"/>"
          "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" style=\"font-size:{:.1f}px\">{}</text>\n",
          x + 1.5, kBase - std::max(height, 1.0), step - 3, std::max(height, 1.0), frames, x + step / 2,
          kBase - std::max(height, 1.0) - 5, number_px, compact(frames));
    }
    const std::size_t after = count - 1 - i;  // labels at the upper ends, with room between them
    if (after % labelled == 0) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n", x + step, kBase + 17,
                         time_text(std::ldexp(1000, static_cast<int>(from + i))));
    }
  }
  svg += fmt::format("<line class=\"axis\" x1=\"0\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kWidth, kBase + 0.5,
                     kBase + 0.5);
  return svg + "</svg>\n";
}

}  // namespace vif::tools
