// SPDX-License-Identifier: BSD-2-Clause
// Capsules from values to bytes, as U-Boot's mkeficapsule lays them out: header, FMP header, items, each image behind
// what stands in front of it. Signing is the caller's: it signs `signed_bytes` and gives the result back. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "netstack/base/api.hpp"
#include "services/fwu/capsule.hpp"

namespace vif::fwu {

struct ItemToWrite {
  Guid image_type;
  std::uint8_t image_index = 1;
  std::uint64_t hardware_instance = 0;
  std::optional<PayloadVersion> payload;
  std::vector<std::byte> dependency;
  Bytes image;  // borrowed for the call
  struct Signature {
    std::uint64_t monotonic_count = 0;
    std::vector<std::byte> pkcs7;
  };
  std::optional<Signature> signature;
};

// `header_size` 28 (mkeficapsule) or 32 (GenerateCapsule). EINVAL: no item, more than 64, or 4 GiB and more.
VIF_API Result<std::vector<std::byte>> write_firmware_capsule(std::span<const ItemToWrite> items, std::uint32_t flags,
                                                              std::uint32_t header_size = CapsuleHeader::kBytes);
VIF_API std::vector<std::byte> write_accept_capsule(const Guid& image_type);
VIF_API std::vector<std::byte> write_revert_capsule();

// What a signature of the item covers: all of it from the dependency on, then the count.
VIF_API std::vector<std::byte> signed_bytes(const ItemToWrite& item, std::uint64_t monotonic_count);

}  // namespace vif::fwu
