// SPDX-License-Identifier: BSD-2-Clause
// The exchanges of tests/data/golden: how each is played, what of it is compared, and whether a stack did as Linux, or
// as differences.cpp says that it does. Values; any thread.
#pragma once

#include <string>
#include <vector>

#include "hypercall/replay/replay.hpp"

namespace vif::test {

struct Exchange {
  std::string stack, name;
};

// With each stack that can be asked, in the order of their names.
std::vector<Exchange> golden_exchanges();

// The peer's side; listens behind it for what must not come, or comes late.
host::ReplayRun peer_of(const Exchange& exchange);
// From the peer's first frame to the last of the recording.
Time span_of(const Exchange& exchange);

enum class World : std::uint8_t {
  simulated,
  host,  // chance has it whether a difference of timers shows, and when a stack says who it is
};
// Empty: the stack did as it should.
std::string complaint(const Exchange& exchange, const host::ReplayOutcome& outcome, World world);

}  // namespace vif::test
