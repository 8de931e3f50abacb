// SPDX-License-Identifier: BSD-2-Clause
// What must come out of a replay, said in words and judged.
#include <ostream>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/replay/replay.hpp"

namespace vif::host {
namespace {

void explain(const net::ExpectFailure& failure, bool with_fields, std::ostream& out) {
  out << "\n  " << net::name(failure.fault) << ": " << failure.text;
  if (!with_fields) return;
  for (const net::FieldComparison& line : failure.fields) {
    if (line.differs) out << "\n    " << line.name << ": expected " << line.expected << ", received " << line.received;
  }
}

}  // namespace

ExpectOption ignoring(std::string fields) {
  return [fields = std::move(fields)](net::ExpectSettings& settings) -> Status {
    const Result<net::FrameMask> mask = net::FrameMask::parse(fields);
    if (!mask) return fail(EINVAL, "ignoring(): " + mask.error().text);
    settings.mask.ignore(*mask);
    return {};
  };
}

ExpectOption only(std::string filter) {
  return [filter = std::move(filter)](net::ExpectSettings& settings) -> Status {
    Result<net::BpfProgram> select = compile_filter(filter);
    if (!select) return fail(EINVAL, "only(\"" + filter + "\"): " + select.error().text);
    settings.select = std::move(*select);
    return {};
  };
}

ExpectOption in_any_order() {
  return [](net::ExpectSettings& settings) {
    settings.order = net::ExpectOrder::unordered;
    return Status();
  };
}

ExpectOption in_order_per_flow() {
  return [](net::ExpectSettings& settings) {
    settings.order = net::ExpectOrder::per_flow;
    return Status();
  };
}

ExpectOption allowing_others() {
  return [](net::ExpectSettings& settings) {
    settings.others_allowed = true;
    return Status();
  };
}

ExpectOption within(Time window) {
  return [window](net::ExpectSettings& settings) {
    settings.window = window;
    return Status();
  };
}

Result<net::ExpectVerdict> SendsMatcher::judge(const ReplayOutcome& outcome) const {
  net::ExpectSettings settings;
  for (const ExpectOption& option : options_) {
    if (Status said = option(settings); !said) return said.error();
  }
  LinuxFiles files;
  auto frames = net::Expectation::load(files, capture_, settings.select);
  if (!frames) return std::move(frames).error();
  // Without others, to expect none means that none may come.
  if (frames->empty() && settings.others_allowed) {
    return fail(EINVAL, "nothing of " + capture_ + " is expected, and anything else allowed: any replay would pass");
  }
  if (settings.window && outcome.error.empty() && !outcome.clock.origin_ns) {
    return fail(EINVAL, "within() expects recorded times, as recorded or xN as fast, without with_gaps_below()");
  }
  net::Expectation expectation(std::move(settings), std::move(*frames));
  expectation.set_clock(outcome.clock);
  for (const ReplayOutcome::Received& frame : outcome.received) (void)expectation.received(frame.bytes, frame.at);
  return expectation.finish();
}

bool SendsMatcher::MatchAndExplain(const ReplayOutcome& outcome, std::ostream* listener) const {
  const Result<net::ExpectVerdict> verdict = judge(outcome);
  const bool pass = verdict && verdict->pass() && outcome.error.empty();
  if (listener == nullptr) return pass;
  if (!verdict) *listener << verdict.error().text;
  if (!verdict) return false;
  *listener << verdict->matched << " of " << verdict->expected << " frames came as expected";
  bool first = true;
  for (const net::ExpectFailure& failure : verdict->failures) explain(failure, std::exchange(first, false), *listener);
  return pass;
}

void SendsMatcher::DescribeTo(std::ostream* out) const { *out << "sends the frames of " << capture_; }
void SendsMatcher::DescribeNegationTo(std::ostream* out) const { *out << "does not send the frames of " << capture_; }

}  // namespace vif::host
