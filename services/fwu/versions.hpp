// SPDX-License-Identifier: BSD-2-Clause
// What is known of the versions of an image, bank by bank, and the floor below which it may not go back: FmpStateXXXX
// and FwuFloorXXXX of one image, read and written together. One thread.
#pragma once

#include <vector>

#include "services/fwu/metadata.hpp"
#include "services/fwu/variables.hpp"

namespace vif::fwu {

struct ImageVersions {
  Guid image_type;
  std::uint8_t image_index = 1;
  std::vector<FmpState> banks;
  ImageFloor floor;

  static Result<ImageVersions> load(VariablePort& variables, const Guid& image_type, std::uint8_t image_index,
                                    std::uint32_t banks);
  Status store(VariablePort& variables) const;

  // The bank has been accepted: what it says may not be gone behind any more. True: that raised the floor.
  bool raise_floor(std::uint32_t bank);
};

// After the active bank has been accepted: raises the floor of each of its images. Safe to repeat.
Status raise_floors(VariablePort& variables, const Metadata& metadata);

// The index by which capsules call the image at `position` of the metadata.
inline std::uint8_t image_index_at(std::size_t position) { return static_cast<std::uint8_t>(position + 1); }

}  // namespace vif::fwu
