// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/capsule_verifier.hpp"

#include <algorithm>
#include <cerrno>

#include "services/fwu/bank_layout.hpp"
#include "services/fwu/signed_content.hpp"

namespace vif::fwu {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;

Error not_ours(const std::string& what) { return fail(std::errc::not_supported, what); }
Error too_old(const std::string& what) { return fail(std::errc::invalid_argument, what); }

std::string number(std::uint64_t value) { return std::to_string(value); }

// To its end, for what reading does on the way.
Status drain(ByteSource& source) {
  std::vector<std::byte> piece(kPieceBytes);
  for (;;) {
    const Result<std::size_t> read = source.read(piece);
    if (!read) return read.error();
    if (*read == 0) return {};
  }
}

}  // namespace

Result<PlannedImage> CapsuleVerifier::place(const FmpItem& item) const {
  const auto entry = std::find_if(metadata.images.begin(), metadata.images.end(),
                                  [&](const ImageEntry& other) { return other.image_type == item.image_type; });
  if (entry == metadata.images.end()) return not_ours("this device has no image of type " + to_string(item.image_type));
  PlannedImage image;
  image.position = static_cast<std::size_t>(entry - metadata.images.begin());
  if (item.image_index != image_index_at(image.position)) {
    return not_ours("image type " + to_string(item.image_type) + " has index " +
                    number(image_index_at(image.position)) + ", the capsule says " + number(item.image_index));
  }
  if (item.hardware_instance != 0 && item.hardware_instance != planner.policy.hardware_instance) {
    return not_ours("the capsule is for hardware instance " + number(item.hardware_instance) + ", this is " +
                    number(planner.policy.hardware_instance));
  }
  const Result<Partition> target = target_partition(metadata, planner.device.partitions, image.position, bank);
  if (!target) return target.error();
  image.target = *target;
  image.source_offset = item.image_offset;
  image.bytes = item.image_bytes;
  image.version = item.payload.value_or(PayloadVersion{});
  image.monotonic_count = item.authentication ? item.authentication->monotonic_count : 0;
  if (image.bytes == 0) return fail(std::errc::invalid_argument, "the capsule's image has no bytes");
  if (image.bytes > target->size_bytes) {
    return fail(std::errc::result_out_of_range, "the image has " + number(image.bytes) + " bytes, partition " +
                                                    number(target->number) + " has " + number(target->size_bytes));
  }
  return image;
}

Status CapsuleVerifier::check_age(const FmpItem& item, const PlannedImage& image) const {
  const Result<ImageVersions> known =
      ImageVersions::load(planner.device.variables, item.image_type, item.image_index, metadata.banks);
  if (!known) return known.error();
  const std::uint32_t version = image.version.fw_version, running = known->banks[metadata.active_index].fw_version;
  if (version < known->floor.lowest_version) {
    return too_old("version " + number(version) + " is below " + number(known->floor.lowest_version) +
                   ", the lowest that an accepted update left possible");
  }
  if (version < running && !planner.policy.allow_downgrade) {
    return too_old("version " + number(version) + " is older than " + number(running) +
                   ", which runs now: allow the downgrade if it is meant");
  }
  if (item.authentication && image.monotonic_count < known->floor.monotonic_count) {
    return fail(EKEYREJECTED, "the signature's count is " + number(image.monotonic_count) + ", " +
                                  number(known->floor.monotonic_count) +
                                  " has been accepted: this is an old capsule played again");
  }
  return {};
}

Result<DigestBytes> CapsuleVerifier::verify_bytes(const FmpItem& item, ByteRange& file) const {
  const std::unique_ptr<Digest> digest = planner.digests.sha256();
  SignedContent content(item, file, *digest);
  if (item.authentication && planner.signatures) {
    Status verified = planner.signatures->verify(item.image_type, item.authentication->pkcs7, content);
    if (!verified) return verified.error();
  } else if (!planner.policy.allow_unsigned) {
    return fail(EKEYREJECTED, item.authentication ? "no key is trusted, so its signature says nothing"
                                                  : "it is not signed, and unsigned capsules are not allowed");
  }
  // What is left: all of an unsigned image; nothing of one that has been verified.
  if (Status drained = drain(content); !drained) return drained.error();
  return digest->finish();
}

Result<PlannedImage> CapsuleVerifier::verify(const FmpItem& item, ByteRange& file) const {
  Result<PlannedImage> image = place(item);
  if (!image) return image;
  if (Status aged = check_age(item, *image); !aged) return aged.error();
  const Result<DigestBytes> digest = verify_bytes(item, file);
  if (!digest) return digest.error();
  image->digest = *digest;
  image->source = &file;
  return image;
}

}  // namespace vif::fwu
