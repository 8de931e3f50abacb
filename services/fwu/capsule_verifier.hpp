// SPDX-License-Identifier: BSD-2-Clause
// Whether one image of a capsule may go into a bank: is it for this device, does it fit, is it new enough, who signed
// it. For planner.cpp only.
#pragma once

#include "services/fwu/plan.hpp"
#include "services/fwu/versions.hpp"

namespace vif::fwu {

struct CapsuleVerifier {
  const Planner& planner;
  const Metadata& metadata;
  std::uint32_t bank = 0;

  // Errors: ENOTSUP not for this device, ENODEV and EINVAL its partition, ERANGE it does not fit, EINVAL too old,
  // EKEYREJECTED the signature, EIO.
  Result<PlannedImage> verify(const FmpItem& item, ByteRange& file) const;

 private:
  Result<PlannedImage> place(const FmpItem& item) const;
  Status check_age(const FmpItem& item, const PlannedImage& image) const;
  Result<DigestBytes> verify_bytes(const FmpItem& item, ByteRange& file) const;
};

}  // namespace vif::fwu
