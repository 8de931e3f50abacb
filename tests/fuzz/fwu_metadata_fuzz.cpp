// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a copy of FWU metadata, with their CRC and with one that is made to fit: what is read is within its
// limits and is written back byte for byte.
#include <algorithm>

#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/metadata.hpp"

namespace vif::test {
namespace {

using namespace fwu;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes bytes, std::optional<Geometry> geometry) {
  const Result<Metadata> metadata = Metadata::parse(bytes, geometry);
  if (!metadata) return require(!metadata.error().text.empty());
  require(metadata->banks >= 1 && metadata->banks <= kBanksMax);
  require(metadata->active_index < metadata->banks && metadata->previous_active_index < metadata->banks);
  require(!metadata->images.empty());
  for (const ImageEntry& entry : metadata->images) require(entry.banks.size() == metadata->banks);
  const std::vector<std::byte> written = metadata->store();
  require(written.size() == metadata->size_bytes() && written.size() <= bytes.size());
  require(std::equal(written.begin(), written.end(), bytes.begin()));
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::fwu;
  const auto input = std::as_bytes(std::span(data, size));
  vif::test::check(input, {});
  std::vector<std::byte> fitted(input.begin(), input.end());
  if (size < 24) return 0;
  const std::uint32_t said = load_le32(&fitted[16]);
  const std::size_t covered = load_le32(&fitted[4]) == 2 && said >= 24 && said <= size ? said : size;
  store_le32(fitted.data(), crc32(vif::Bytes(fitted).subspan(4, covered - 4)));
  vif::test::check(fitted, {});
  vif::test::check(fitted, Geometry{data[0] % 6u, data[1] % 8u});
  if (auto read = Metadata::parse_despite_crc(input, Geometry{2, 2}); read) (void)read->store();
  return 0;
}
