// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a capsule, as they are and behind a header that is right: whatever is read lies within the file, and no
// item within another.
#include "services/fwu/capsule.hpp"
#include "services/fwu/dependency.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::test {
namespace {

using namespace fwu;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes bytes) {
  MemoryRange range(bytes);
  const Result<Capsule> capsule = Capsule::read(range);
  if (!capsule) return require(!capsule.error().text.empty());
  require(capsule->header.image_size <= bytes.size() && capsule->header.header_size <= capsule->header.image_size);
  for (const FmpItem& item : capsule->items) {
    require(item.image_offset >= capsule->header.header_size &&
            item.image_offset + item.image_bytes <= item.end_offset);
    require(item.end_offset <= capsule->header.image_size);
    if (item.authentication) require(item.authentication->signed_offset <= item.image_offset);
    for (const FmpItem& other : capsule->items) {
      require(&other == &item || other.end_offset <= item.image_offset || item.end_offset <= other.image_offset);
    }
    if (!item.dependency.empty()) {
      (void)dependency_text(item.dependency);
      (void)dependency_holds(item.dependency, [](const Guid&) { return std::optional(1u); });
    }
  }
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::fwu;
  const auto input = std::as_bytes(std::span(data, size));
  vif::test::check(input);
  std::vector<std::byte> capsule(CapsuleHeader::kBytes);
  store_guid(capsule.data(), kFmpCapsule);
  store_le32(&capsule[16], CapsuleHeader::kBytes);
  store_le32(&capsule[24], static_cast<std::uint32_t>(CapsuleHeader::kBytes + size));
  append(capsule, input);
  vif::test::check(capsule);
  if (auto bytes = dependency_bytes(input); bytes) (void)dependency_text(input.first(*bytes));
  return 0;
}
