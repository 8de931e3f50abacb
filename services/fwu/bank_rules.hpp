// SPDX-License-Identifier: BSD-2-Clause
// What metadata means and how it may change: which banks can boot, which one an update may overwrite, what accepting
// and reverting do. Values in, values out; metadata_copies.hpp brings them to the medium. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "services/fwu/metadata.hpp"

namespace vif::fwu {

// Version 1 stores no states: a bank with all its images accepted is accepted; another one is valid (on trial) while it
// is active, and else not to be trusted: half written, or rejected.
VIF_API BankState bank_state(const Metadata& metadata, std::uint32_t bank);
VIF_API bool all_accepted(const Metadata& metadata, std::uint32_t bank);

// Where to go from `failed`: the previous bank if accepted, any that is accepted, the previous if valid, any valid one
// (the order of TF-A). Nothing: there is none.
VIF_API std::optional<std::uint32_t> fallback_bank(const Metadata& metadata, std::uint32_t failed);

// The bank an update writes: never the active one; an invalid one first, then one that is not the previous one, as that
// may be the only one to fall back to. EOPNOTSUPP: there is one bank only.
VIF_API Result<std::uint32_t> update_bank(const Metadata& metadata);

// Its images are about to be overwritten: no longer accepted, and not to be booted.
VIF_API void begin_update(Metadata& metadata, std::uint32_t bank);
VIF_API bool update_begun(const Metadata& metadata, std::uint32_t bank);

// The bank is complete and boots next. `on_trial`: for each image, whether it waits to be accepted.
VIF_API void commit_update(Metadata& metadata, std::uint32_t bank, std::span<const bool> on_trial);

// Of the active bank, which is accepted with its last image. ENOENT: no image has this type.
VIF_API Status accept_image(Metadata& metadata, const Guid& image_type);

// Leaves the active bank, which failed its trial or would not boot, for `bank`.
VIF_API void fall_back(Metadata& metadata, std::uint32_t bank);

// An operator trusts an invalid bank again (EINVAL: it is not): accepted if all its images are, else on trial.
VIF_API Status clear_invalid(Metadata& metadata, std::uint32_t bank);

}  // namespace vif::fwu
