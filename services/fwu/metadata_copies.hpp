// SPDX-License-Identifier: BSD-2-Clause
// The two copies of FWU metadata on a medium: each judged alone, a bad one restored from the good one, both written in
// an order that a power cut cannot break: secondary, flush, primary, flush. The primary wins while both are good and
// differ, so writing it is the moment an update happens. Two bad copies are never written. One thread.
#pragma once

#include <optional>
#include <string>

#include "services/fwu/device.hpp"

namespace vif::fwu {

class MetadataCopies {
 public:
  enum class Place : std::uint8_t { primary, secondary };

  // Finds the two partitions. Errors: ENOENT there are fewer, EINVAL there are more.
  VIF_API static Result<MetadataCopies> find(const Device& device);

  // One copy. Errors: EBADMSG or ENOTSUP as Metadata::parse, EIO it cannot be read.
  VIF_API Result<Metadata> read(Place place) const;

  // The metadata that counts: the primary copy if it is good, else the secondary. Writes nothing. EBADMSG: both are
  // bad.
  VIF_API Result<Metadata> load() const;

  // `load`, then writes the copy that counts over the other where that is bad or differs; says in `repaired` what it
  // did.
  VIF_API Result<Metadata> load_and_repair(std::string& repaired);

  // Replaces both copies; the one that counts must still say `before`. A bad primary is restored first, so that a good
  // copy is there throughout. Errors: ESTALE somebody else changed them, EBADMSG both are bad (nothing was
  // written), ERANGE a partition is too small, EIO. After another error than ESTALE and ERANGE the medium may have
  // either.
  VIF_API Status replace(const Metadata& before, const Metadata& after);

  // Both bad: takes what can be read of `place` for right, and writes both. For an operator who has looked.
  VIF_API Status force(Place place, std::optional<Geometry> geometry);

  const Partition& partition(Place place) const { return place == Place::primary ? primary_ : secondary_; }

 private:
  MetadataCopies(const Device& device, Partition primary, Partition secondary)
      : store_(device.store), geometry_(device.geometry), primary_(primary), secondary_(secondary) {}

  Result<std::vector<std::byte>> read_bytes(Place place) const;
  Status write(Place place, const Metadata& metadata);
  Status write_both(const Metadata& metadata);

  StorePort& store_;
  std::optional<Geometry> geometry_;
  Partition primary_, secondary_;
};

}  // namespace vif::fwu
