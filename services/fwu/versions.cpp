// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/versions.hpp"

#include <algorithm>

namespace vif::fwu {

Result<ImageVersions> ImageVersions::load(VariablePort& variables, const Guid& image_type, std::uint8_t image_index,
                                          std::uint32_t banks) {
  ImageVersions versions{image_type, image_index, std::vector<FmpState>(banks), {}};
  versions.floor.bank_counts.resize(banks);
  Result<std::optional<Variable>> state = variables.get(image_type, fmp_state_name(image_index));
  if (!state) return std::move(state).error();
  if (*state) versions.banks = read_fmp_state(**state, banks);
  Result<std::optional<Variable>> floor = variables.get(image_type, image_floor_name(image_index));
  if (!floor) return std::move(floor).error();
  if (!*floor) return versions;
  Result<ImageFloor> read = read_image_floor(**floor, banks);
  if (!read) return std::move(read).error();
  versions.floor = *std::move(read);
  return versions;
}

Status ImageVersions::store(VariablePort& variables) const {
  if (Status set = variables.set(fmp_state_variable(image_type, image_index, banks)); !set) return set;
  return variables.set(image_floor_variable(image_type, image_index, floor));
}

bool ImageVersions::raise_floor(std::uint32_t bank) {
  const ImageFloor before = floor;
  floor.lowest_version = std::max(floor.lowest_version, banks[bank].lowest_supported_version);
  floor.monotonic_count = std::max(floor.monotonic_count, floor.bank_counts[bank]);
  return !(floor == before);
}

Status raise_floors(VariablePort& variables, const Metadata& metadata) {
  for (std::size_t i = 0; i < metadata.images.size(); ++i) {
    Result<ImageVersions> versions =
        ImageVersions::load(variables, metadata.images[i].image_type, image_index_at(i), metadata.banks);
    if (!versions) return std::move(versions).error();
    if (!versions->raise_floor(metadata.active_index)) continue;
    if (Status stored = versions->store(variables); !stored) return stored;
  }
  return {};
}

}  // namespace vif::fwu
