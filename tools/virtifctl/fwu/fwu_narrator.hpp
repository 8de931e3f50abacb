// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl fwu` says on standard error while it works. One thread.
#pragma once

#include "netstack/base/ports.hpp"
#include "services/fwu/update.hpp"

namespace vif::tools {

// Steps, and on a terminal while bytes move a line that says how fast and how long still.
class FwuNarrator final : public fwu::UpdateObserver {
 public:
  enum class Tone : std::uint8_t { silent, speaks };
  explicit FwuNarrator(Tone tone);

  void step(const std::string& what) override;
  // `total` 0: nobody knows.
  void progress(std::uint64_t done, std::uint64_t total) override;

 private:
  bool speaks_, shows_progress_;
  Time begin_, shown_{};
};

}  // namespace vif::tools
