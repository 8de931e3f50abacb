// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/update.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include "services/fwu/bank_rules.hpp"
#include "services/fwu/journal.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/versions.hpp"

namespace vif::fwu {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;

std::string bank_name(std::uint32_t bank) { return "bank " + std::to_string(bank); }

bool any_on_trial(const Plan& plan) {
  return std::any_of(plan.images.begin(), plan.images.end(), [](const PlannedImage& image) { return image.on_trial; });
}

// The capsule that `image` comes from keeps the error; without one all do.
Status blame(Plan& plan, const PlannedImage* image, const Status& status) {
  for (std::size_t i = 0; i < plan.outcomes.size(); ++i) {
    const bool hit = !image || !image->source || image->capsule == i;
    plan.outcomes[i].status =
        hit ? status : Status(fail(ECANCELED, "another capsule of this run could not be applied, so none is"));
  }
  return status;
}

}  // namespace

Status Update::apply(Plan& plan) {
  if (plan.revert_to || !plan.accepts.empty()) {
    Status answered = answer(plan);
    return answered ? answered : blame(plan, nullptr, answered);
  }
  if (plan.failed() || !plan.bank) return {};
  if (plan.already_installed) {
    observer_.step("these capsules are installed in " + bank_name(plan.before.active_index) + " already");
    return finish();
  }
  if (device_.trace) {
    device_.trace->update_begin(*plan.bank, static_cast<std::uint32_t>(plan.images.size()), plan.bytes());
  }
  Status installed = install(plan);
  if (device_.trace) device_.trace->update_end(*plan.bank, installed ? 0 : installed.error().number());
  return installed;
}

// What a cut may have left to do behind the write that is the update: the other copy, and floors.
Status Update::finish() {
  Result<MetadataCopies> copies = MetadataCopies::find(device_);
  if (!copies) return std::move(copies).error();
  std::string repaired;
  const Result<Metadata> metadata = copies->load_and_repair(repaired);
  if (!metadata) return metadata.error();
  if (!repaired.empty()) observer_.step(repaired);
  const bool accepted = bank_state(*metadata, metadata->active_index) == BankState::accepted;
  return accepted ? raise_floors(device_.variables, *metadata) : Status();
}

Status Update::install(Plan& plan) {
  const Result<MetadataCopies> found = MetadataCopies::find(device_);
  if (!found) return blame(plan, nullptr, found.error());
  MetadataCopies copies = *found;
  Metadata begun = plan.before;
  begin_update(begun, *plan.bank);
  if (Status made = make_room(plan); !made) return blame(plan, nullptr, made);
  observer_.step("marking " + bank_name(*plan.bank) + " as unfinished");
  if (Status replaced = copies.replace(plan.before, begun); !replaced) return blame(plan, nullptr, replaced);
  if (Status written = write_images(plan); !written) return written;

  if (Status recorded = record_bank(plan); !recorded) return blame(plan, nullptr, recorded);
  Metadata after = begun;
  const std::unique_ptr<bool[]> on_trial(new bool[plan.images.size()]);
  for (std::size_t i = 0; i < plan.images.size(); ++i) on_trial[i] = plan.images[i].on_trial;
  commit_update(after, *plan.bank, {on_trial.get(), plan.images.size()});
  observer_.step(bank_name(*plan.bank) + " boots next" + (any_on_trial(plan) ? ", on trial" : ", accepted"));
  if (Status replaced = copies.replace(begun, after); !replaced) return blame(plan, nullptr, replaced);
  if (any_on_trial(plan)) return {};
  if (device_.trace) device_.trace->bank_accepted(*plan.bank);
  // The update is done; boot checks raise floors as well.
  return raise_floors(device_.variables, after);
}

Status Update::write_images(Plan& plan) {
  bytes_total_ = plan.bytes();
  for (PlannedImage& image : plan.images) {
    // A run that was cut off may have brought this image to its end.
    if (image.source && update_begun(plan.before, *plan.bank)) {
      const Result<DigestBytes> there = digest_of_target(image);
      if (there && *there == image.digest) {
        observer_.step("partition " + std::to_string(image.target.number) + " has its image already");
        bytes_done_ += image.bytes;
        continue;
      }
    }
    if (Status written = write_image(image); !written) return blame(plan, &image, written);
  }
  if (Status flushed = device_.store.flush(); !flushed) return blame(plan, nullptr, flushed);
  for (const PlannedImage& image : plan.images) {
    observer_.step("reading partition " + std::to_string(image.target.number) + " back");
    const Result<DigestBytes> there = digest_of_target(image);
    if (!there) return blame(plan, &image, there.error());
    if (*there == image.digest) {
      if (device_.trace) device_.trace->image_written(image.target.number, image.bytes);
      continue;
    }
    return blame(plan, &image,
                 fail(EIO, "partition " + std::to_string(image.target.number) +
                               " does not read back as what was verified: the medium is bad, or "
                               "the capsule changed while it was read"));
  }
  return {};
}

Status Update::write_image(PlannedImage& image) {
  observer_.step((image.source ? "writing partition " : "copying from the active bank to partition ") +
                 std::to_string(image.target.number));
  if (image.source) return copy_bytes(image, *image.source);
  return copy_bytes(image, device_.store);
}

Status Update::copy_bytes(PlannedImage& image, ByteRange& from) {
  piece_.resize(kPieceBytes);
  const std::unique_ptr<Digest> digest = image.source ? nullptr : digests_.sha256();
  for (std::uint64_t done = 0; done < image.bytes;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, image.bytes - done));
    const MutBytes piece = MutBytes(piece_).first(count);
    if (Status read = from.read(image.source_offset + done, piece); !read) return read;
    if (digest) digest->update(piece);
    if (Status written = device_.store.write(image.target.offset_bytes + done, piece); !written) return written;
    done += count;
    bytes_done_ += count;
    observer_.progress(bytes_done_, bytes_total_);
  }
  if (digest) image.digest = digest->finish();
  return {};
}

Result<DigestBytes> Update::digest_of_target(const PlannedImage& image) {
  return digest_of_bytes(digests_, device_.store, image.target.offset_bytes, image.bytes);
}

// All that will be recorded has its variable before the first byte of the bank is overwritten, so that a file of
// variables that cannot be written or has no room is known by then.
Status Update::make_room(const Plan& plan) {
  for (const PlannedImage& image : plan.images) {
    const Result<ImageVersions> versions =
        ImageVersions::load(device_.variables, plan.before.images[image.position].image_type,
                            image_index_at(image.position), plan.before.banks);
    if (!versions) return versions.error();
    if (Status stored = versions->store(device_.variables); !stored) return stored;
  }
  // Something is written for certain: what is the same already may not be.
  if (Status erased = Journal::erase(device_.variables); !erased) return erased;
  if (Status stored = Journal{plan.digest, Journal::kBegun}.store(device_.variables); !stored) return stored;
  if (!any_on_trial(plan)) return {};
  return device_.variables.set(trial_counter_variable(0));
}

// The bank boots only after this, so it may say too early what the bank holds.
Status Update::record_bank(const Plan& plan) {
  for (const PlannedImage& image : plan.images) {
    const Guid& type = plan.before.images[image.position].image_type;
    Result<ImageVersions> versions =
        ImageVersions::load(device_.variables, type, image_index_at(image.position), plan.before.banks);
    if (!versions) return std::move(versions).error();
    FmpState& state = versions->banks[*plan.bank];
    if (image.source) {
      state = {image.version.fw_version, image.version.lowest_supported_version, 0, 0};
      versions->floor.bank_counts[*plan.bank] = image.monotonic_count;
    } else {
      state = versions->banks[plan.before.active_index];
      versions->floor.bank_counts[*plan.bank] = versions->floor.bank_counts[plan.before.active_index];
    }
    if (Status stored = versions->store(device_.variables); !stored) return stored;
  }
  return Journal{plan.digest, *plan.bank}.store(device_.variables);
}

Status Update::answer(const Plan& plan) {
  const Result<MetadataCopies> found = MetadataCopies::find(device_);
  if (!found) return found.error();
  MetadataCopies copies = *found;
  Metadata after = plan.before;
  for (const Guid& type : plan.accepts) {
    if (Status accepted = accept_image(after, type); !accepted) return accepted;
    observer_.step("accepting image type " + to_string(type));
  }
  if (plan.revert_to) {
    observer_.step("going back to " + bank_name(*plan.revert_to));
    fall_back(after, *plan.revert_to);
  }
  if (Status replaced = copies.replace(plan.before, after); !replaced) return replaced;
  tell(plan, after);
  const bool accepted = !plan.revert_to && bank_state(after, after.active_index) == BankState::accepted;
  return accepted ? raise_floors(device_.variables, after) : Status();
}

void Update::tell(const Plan& plan, const Metadata& after) const {
  if (!device_.trace) return;
  const std::uint32_t bank = plan.before.active_index;
  for (const Guid& type : plan.accepts) device_.trace->image_accepted(bank, to_string(type));
  if (plan.revert_to) device_.trace->bank_reverted(bank, *plan.revert_to);
  else if (bank_state(after, bank) == BankState::accepted) device_.trace->bank_accepted(bank);
}

Status record_results(VariablePort& variables, std::span<const CapsuleOutcome> outcomes, std::int64_t wall_ns,
                      std::uint16_t index_max) {
  for (const CapsuleOutcome& outcome : outcomes) {
    const Result<std::optional<Variable>> last = variables.get(kCapsuleReport, "CapsuleLast");
    if (!last) return last.error();
    const std::optional<std::uint16_t> before = *last ? read_capsule_last(**last) : std::nullopt;
    const bool wraps = !before || *before >= index_max;
    const std::uint16_t index = wraps ? std::uint16_t{0} : static_cast<std::uint16_t>(*before + 1);
    const Variable result = capsule_result_variable(index, {outcome.capsule, wall_ns, efi_status(outcome.status)});
    if (Status set = variables.set(result); !set) return set;
    if (Status set = variables.set(capsule_last_variable(index)); !set) return set;
  }
  return {};
}

}  // namespace vif::fwu
