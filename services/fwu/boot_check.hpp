// SPDX-License-Identifier: BSD-2-Clause
// What firmware does with FWU metadata at each boot, before it looks at capsules: repair, follow what an earlier loader
// decided, count the boots of a bank on trial and leave it when it had enough. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/fwu/device.hpp"

namespace vif::fwu {

struct BootPolicy {
  std::uint16_t trial_boots = 3;  // so many boots of a bank on trial; the next one leaves it
};

// Of one boot.
struct BootOutcome {
  Metadata metadata;                       // as it is now
  std::uint32_t boot_bank = 0;             // runs now
  std::uint16_t trial_boot = 0;            // the how manieth boot on trial this is; 0: it is not on trial
  std::optional<std::uint32_t> next_bank;  // another one boots next: the trial is over
  std::vector<std::string> notes;          // what was done and why, for people
};

// Errors: EBADMSG both copies are bad (nothing was written), EINVAL `boot_bank` is no bank, EIO and ENOSPC of the
// ports. After an error this boot must process no capsules. May be cut off anywhere and asked again.
VIF_API Result<BootOutcome> check_boot(const Device& device, std::uint32_t boot_bank, const BootPolicy& policy = {});

}  // namespace vif::fwu
