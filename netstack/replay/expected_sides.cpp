// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/expected_sides.hpp"

#include <algorithm>

namespace vif::net {

ExpectedSides::ExpectedSides(const ExpectSettings& settings, std::vector<ExpectedFrame> frames,
                             std::vector<std::string> links)
    : links_(std::move(links)) {
  if (links_.size() < kReplaySides) {
    expectations_.emplace_back(settings, std::move(frames));
    return;
  }
  for (const ReplaySide at : {ReplaySide::clients, ReplaySide::servers}) {
    std::vector<ExpectedFrame> theirs;
    for (ExpectedFrame& frame : frames) {
      if (frame.side == other_side(at)) theirs.push_back(std::move(frame));
    }
    expectations_.emplace_back(settings, std::move(theirs));
  }
}

void ExpectedSides::set_clock(const ExpectClock& clock) {
  for (Expectation& expectation : expectations_) expectation.set_clock(clock);
}

const ExpectFailure* ExpectedSides::received(ReplaySide at, Bytes frame, Time since_start) {
  return expectations_[std::min(index_of(at), expectations_.size() - 1)].received(frame, since_start);
}

bool ExpectedSides::satisfied() const {
  return std::all_of(expectations_.begin(), expectations_.end(),
                     [](const Expectation& one) { return one.satisfied(); });
}

const ExpectVerdict& ExpectedSides::finish() {
  if (!verdicts_.empty()) return all_;
  for (std::size_t i = 0; i < expectations_.size(); ++i) {
    const ExpectVerdict& one = verdicts_.emplace_back(expectations_[i].finish());
    all_.expected += one.expected;
    all_.received += one.received;
    all_.matched += one.matched;
    all_.let_pass += one.let_pass;
    for (std::size_t fault = 0; fault < kExpectFaults; ++fault) all_.faults[fault] += one.faults[fault];
    for (const ExpectFailure& failure : one.failures) {
      all_.failures.push_back(failure);
      if (expectations_.size() > 1) all_.failures.back().text = links_[i] + ": " + failure.text;
    }
  }
  std::stable_sort(all_.failures.begin(), all_.failures.end(),
                   [](const ExpectFailure& one, const ExpectFailure& other) { return one.noticed < other.noticed; });
  if (all_.failures.size() > Expectation::kFailuresKept) all_.failures.resize(Expectation::kFailuresKept);
  return all_;
}

}  // namespace vif::net
