// SPDX-License-Identifier: BSD-2-Clause
// What a run of capsules would do, decided before the first byte is written: every capsule is read, checked and
// verified, and if one of them may not be applied, none is. A plan is a value; update.hpp carries it out. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/fwu/capsule.hpp"
#include "services/fwu/device.hpp"

namespace vif::fwu {

// A capsule where it lies: a file, or what a network brought.
struct CapsuleFile {
  std::string name;
  ByteRange* file = nullptr;  // borrowed until the plan has been carried out; null: `opened` says why
  Status opened = {};
};

struct UpdatePolicy {
  bool allow_unsigned = false;   // also takes signed capsules when no key is trusted
  bool allow_downgrade = false;  // below what runs now; never below the floor
  std::uint64_t hardware_instance = 0;
};

struct CapsuleOutcome {
  std::string name;
  Guid capsule;  // nil where the file is too short to have one
  Status status;
};

// One image of the bank that is written.
struct PlannedImage {
  std::size_t position = 0;  // in the metadata
  Partition target;
  ByteRange* source = nullptr;      // a capsule; null: no capsule has it, it is copied from the active bank
  std::size_t capsule = 0;          // which of the plan's outcomes
  std::uint64_t source_offset = 0;  // of the image within `source`, or within the medium
  std::uint64_t bytes = 0;
  DigestBytes digest{};  // of a capsule's image, as verified
  PayloadVersion version;
  std::uint64_t monotonic_count = 0;
  bool on_trial = false;  // waits to be accepted
};

struct Plan {
  Metadata before;
  std::vector<CapsuleOutcome> outcomes;  // one for each file, in the order they count

  // One of three, or nothing at all: a bank is written,
  std::optional<std::uint32_t> bank;
  std::vector<PlannedImage> images;  // by position, all of the bank's
  DigestBytes digest{};              // of what is installed: the same capsules give the same
  bool already_installed = false;    // an earlier run did all of it: nothing is left to do
  // or images of the active bank are accepted,
  std::vector<Guid> accepts;
  // or it is left for this one.
  std::optional<std::uint32_t> revert_to;

  bool failed() const;
  std::uint64_t bytes() const;  // of all images
  // Each step in a sentence, for `--dry-run`.
  std::vector<std::string> explain() const;
};

// The rules for a run that goes on in the bank `boot_bank`, which the metadata must agree to be active. Files count in
// the order of their names, bytewise without regard to case (a tie: bytewise). Reads all of each capsule once; writes
// nothing. Errors are of the medium (MetadataCopies::load, EIO); what is wrong with a capsule is its outcome.
struct Planner {
  const Device& device;
  DigestPort& digests;
  SignaturePort* signatures = nullptr;  // null: no key is trusted
  UpdatePolicy policy = {};

  VIF_API Result<Plan> plan(std::vector<CapsuleFile> files, std::uint32_t boot_bank) const;
};

// As if the plan had refused all, for what `check_boot` said.
VIF_API Plan refuse_all(std::vector<CapsuleFile> files, const Error& why);

}  // namespace vif::fwu
