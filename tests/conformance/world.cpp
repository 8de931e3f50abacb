// SPDX-License-Identifier: BSD-2-Clause
#include "tests/conformance/world.hpp"

#include <gtest/gtest.h>

namespace vif::test {

void RecordingSink::deliver(std::span<const drv::RxFrame> burst) {
  EXPECT_EQ(during, During::drain) << "frames come from inside drain only";
  EXPECT_FALSE(burst.empty());
  for (const drv::RxFrame& frame : burst) {
    frames.push_back({{frame.bytes.begin(), frame.bytes.end()}, frame.offload});
  }
  largest_burst = std::max(largest_burst, burst.size());
}

void RecordingSink::link_changed(net::LinkState state, const Error* error) {
  EXPECT_EQ(during, During::drain) << "the carrier changes from inside drain only";
  states.push_back(state);
  if (error != nullptr) why = *error;
}

void RecordingSink::lost(DropReason reason, std::uint64_t count) {
  EXPECT_NE(during, During::nothing) << "losses are reported from inside drain and stop only";
  losses[static_cast<std::size_t>(reason)] += count;
}

Sliced::Sliced(const WireFrame& frame, std::size_t slices)
    : bytes_(static_cast<std::uint32_t>(frame.bytes.size())), offload_(frame.offload) {
  Bytes rest = frame.bytes;
  for (; slices > 1 && rest.size() > 1; --slices) {
    const std::size_t piece = std::max<std::size_t>(1, rest.size() / slices);
    slices_.push_back(rest.first(piece));
    rest = rest.subspan(piece);
  }
  slices_.push_back(rest);
}

}  // namespace vif::test
