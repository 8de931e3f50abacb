// SPDX-License-Identifier: BSD-2-Clause
// What must come back on one link, or on the two sides of a device under test: there what one side sent is expected at
// the other. The verdict covers both. A value, as Expectation is.
#pragma once

#include "netstack/replay/expectation.hpp"

namespace vif::net {

class VIF_API ExpectedSides {
 public:
  // `links` are the names of one link, at which all is expected, or of two, the clients' first.
  ExpectedSides(const ExpectSettings& settings, std::vector<ExpectedFrame> frames, std::vector<std::string> links);

  void set_clock(const ExpectClock& clock);
  // As Expectation::received; `at` is the link.
  const ExpectFailure* received(ReplaySide at, Bytes frame, Time since_start);
  bool satisfied() const;

  // Of all together: failures in the order they were noticed; where there are two links they say at which.
  const ExpectVerdict& finish();
  // Of each link; after finish().
  const std::vector<ExpectVerdict>& verdicts() const { return verdicts_; }

 private:
  std::vector<std::string> links_;
  std::deque<Expectation> expectations_;  // beside links_
  std::vector<ExpectVerdict> verdicts_;
  ExpectVerdict all_;
};

}  // namespace vif::net
