// SPDX-License-Identifier: BSD-2-Clause
// Where the images of the banks lie on a medium, and that none of them lies on another: writing one bank must touch
// nothing else. Any thread.
#pragma once

#include "services/fwu/device.hpp"

namespace vif::fwu {

// Every image of every bank has a partition of its own. Errors: EINVAL; the sentence says which two have one.
VIF_API Status check_images_distinct(const Metadata& metadata);

// The same, and those of the partitions that are there lie neither on another partition nor on the metadata. One that
// is missing is said by who needs it.
VIF_API Status check_layout(const Metadata& metadata, std::span<const Partition> partitions);

// The partition that an update of `bank` writes for the image at `position`. Errors as find_partition; EINVAL: it has
// another type than the image.
VIF_API Result<Partition> target_partition(const Metadata& metadata, std::span<const Partition> partitions,
                                           std::size_t position, std::uint32_t bank);

}  // namespace vif::fwu
