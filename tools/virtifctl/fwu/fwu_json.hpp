// SPDX-License-Identifier: BSD-2-Clause
// Metadata, capsules and disks as JSON, for `dump -j` and `show -j`.
#pragma once

#include <nlohmann/json.hpp>

#include "services/fwu/capsule.hpp"
#include "services/fwu/device.hpp"
#include "services/fwu/metadata.hpp"

namespace vif::tools {

nlohmann::json fwu_metadata_json(const fwu::Metadata& metadata);
// Reads the images of `file` for their digests.
Result<nlohmann::json> fwu_capsule_json(const fwu::Capsule& capsule, fwu::ByteRange& file);
Result<nlohmann::json> fwu_partitions_json(const fwu::Device& device, const fwu::Metadata& metadata);
Result<std::string> fwu_sha256(fwu::ByteRange& file, std::uint64_t offset, std::uint64_t bytes);

}  // namespace vif::tools
