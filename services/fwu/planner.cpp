// SPDX-License-Identifier: BSD-2-Clause
// From capsules to a plan.
#include <algorithm>
#include <cerrno>

#include "services/fwu/bank_layout.hpp"
#include "services/fwu/bank_rules.hpp"
#include "services/fwu/capsule_verifier.hpp"
#include "services/fwu/dependency.hpp"
#include "services/fwu/journal.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/plan.hpp"

namespace vif::fwu {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void sort_by_name(std::vector<CapsuleFile>& files) {
  std::sort(files.begin(), files.end(), [](const CapsuleFile& a, const CapsuleFile& b) {
    return std::pair(lower_case(a.name), a.name) < std::pair(lower_case(b.name), b.name);
  });
}

std::vector<CapsuleOutcome> unread_outcomes(const std::vector<CapsuleFile>& files) {
  std::vector<CapsuleOutcome> outcomes;
  for (const CapsuleFile& file : files) {
    outcomes.push_back({file.name, {}, file.opened});
    if (!file.file) continue;
    if (const auto header = read_capsule_header(*file.file)) outcomes.back().capsule = header->guid;
  }
  return outcomes;
}

class Planning {
 public:
  Planning(const Planner& planner, std::vector<CapsuleFile> files, Metadata metadata)
      : planner_(planner), files_(std::move(files)), capsules_(files_.size()) {
    plan_.before = std::move(metadata);
    plan_.outcomes = unread_outcomes(files_);
  }

  Result<Plan> run(std::uint32_t boot_bank) {
    read_capsules();
    if (boot_bank != plan_.before.active_index) {
      refuse_good(
          fail(EBUSY, "bank " + std::to_string(plan_.before.active_index) + " boots next: restart, then try again"));
    }
    check_kinds();
    if (kinds_[std::size_t(CapsuleKind::firmware)] > 0) {
      if (Status planned = plan_update(); !planned) return planned.error();
    } else {
      plan_answers();
    }
    if (plan_.failed()) call_off();
    return std::move(plan_);
  }

 private:
  void read_capsules() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!files_[i].file) continue;
      Result<Capsule> capsule = Capsule::read(*files_[i].file);
      if (!capsule) {
        plan_.outcomes[i].status = capsule.error();
        continue;
      }
      ++kinds_[std::size_t(capsule->kind)];
      capsules_[i] = *std::move(capsule);
    }
  }

  // For the capsules that have no reason of their own.
  void refuse_good(const Error& why) {
    for (CapsuleOutcome& outcome : plan_.outcomes) {
      if (outcome.status) outcome.status = why;
    }
  }

  template <class Visit>
  void each_good(CapsuleKind kind, Visit&& visit) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (plan_.outcomes[i].status && capsules_[i] && capsules_[i]->kind == kind) {
        plan_.outcomes[i].status = visit(*capsules_[i], i);
      }
    }
  }

  bool on_trial() const { return bank_state(plan_.before, plan_.before.active_index) == BankState::valid; }

  // Firmware, accept and revert answer different questions: a run is about one of them.
  void check_kinds() {
    if (std::count(kinds_.begin(), kinds_.end(), 0u) < 2) {
      refuse_good(fail(EINVAL, "firmware, accept and revert capsules cannot be mixed in one run"));
    }
  }

  Status plan_update() {
    Result<std::uint32_t> bank = update_bank(plan_.before);
    if (!bank) return refuse_good(bank.error()), Status();
    if (Status laid = check_layout(plan_.before, planner_.device.partitions); !laid) {
      return refuse_good(laid.error()), Status();
    }
    std::vector<std::optional<PlannedImage>> images(plan_.before.images.size());
    const CapsuleVerifier verifier{planner_, plan_.before, *bank};
    bool trial = false;
    each_good(CapsuleKind::firmware, [&](const Capsule& capsule, std::size_t i) -> Status {
      if (capsule.items.empty()) return fail(EINVAL, "the capsule has no image");
      trial |= (capsule.header.flags & kAcceptLater) != 0;
      for (const FmpItem& item : capsule.items) {
        Result<PlannedImage> image = verifier.verify(item, *files_[i].file);
        if (!image) return std::move(image).error();
        image->capsule = i;
        images[image->position] = *std::move(image);  // the last one of an image counts, as on U-Boot
      }
      return {};
    });
    check_dependencies(images);
    if (plan_.failed()) return {};
    plan_.bank = *bank;
    return complete(std::move(images), trial);
  }

  // Against what will run then: the new versions where there are some, else those of the active bank.
  void check_dependencies(const std::vector<std::optional<PlannedImage>>& images) {
    const VersionOf version_of = [&](const Guid& type) -> std::optional<std::uint32_t> {
      for (std::size_t at = 0; at < images.size(); ++at) {
        if (plan_.before.images[at].image_type != type) continue;
        if (images[at]) return images[at]->version.fw_version;
        const auto known = ImageVersions::load(planner_.device.variables, type, image_index_at(at), plan_.before.banks);
        if (known) return known->banks[plan_.before.active_index].fw_version;
      }
      return std::nullopt;
    };
    each_good(CapsuleKind::firmware, [&](const Capsule& capsule, std::size_t) -> Status {
      for (const FmpItem& item : capsule.items) {
        if (item.dependency.empty() || dependency_holds(item.dependency, version_of)) continue;
        return fail(EINVAL, "it depends on " + dependency_text(item.dependency) + ", which is not so");
      }
      return {};
    });
  }

  // A bank is one thing: what no capsule brings comes from the active bank. On trial are the images that are new.
  Status complete(std::vector<std::optional<PlannedImage>> images, bool trial) {
    for (std::size_t at = 0; at < images.size(); ++at) {
      if (!images[at]) {
        Result<PlannedImage> copy = plan_copy(at);
        if (!copy) return refuse_good(copy.error()), Status();
        images[at] = *copy;
      } else {
        images[at]->on_trial = trial;
      }
      plan_.images.push_back(*images[at]);
    }
    plan_.digest = digest_of(plan_.images);
    const Result<bool> installed = is_installed();
    if (!installed) return installed.error();
    plan_.already_installed = *installed;
    if (on_trial() && !plan_.already_installed) {
      refuse_good(fail(EBUSY, "bank " + std::to_string(plan_.before.active_index) +
                                  " is on trial: accept or revert it, then update"));
    }
    return {};
  }

  // The journal says what was written; the medium, whether it is still there.
  Result<bool> is_installed() const {
    const Device& device = planner_.device;
    const std::uint32_t active = plan_.before.active_index;
    const Result<std::optional<Journal>> journal = Journal::load(device.variables);
    if (!journal) return journal.error();
    if (!*journal || (*journal)->digest != plan_.digest || (*journal)->bank != active) return false;
    for (const PlannedImage& image : plan_.images) {
      if (!image.source) continue;
      const auto in_place = target_partition(plan_.before, device.partitions, image.position, active);
      if (!in_place || in_place->size_bytes < image.bytes) return false;
      const auto digest = digest_of_bytes(planner_.digests, device.store, in_place->offset_bytes, image.bytes);
      if (!digest) return digest.error();
      if (*digest != image.digest) return false;
    }
    return true;
  }

  Result<PlannedImage> plan_copy(std::size_t at) const {
    const ImageEntry& entry = plan_.before.images[at];
    const Result<Partition> from =
        find_partition(planner_.device.partitions, entry.banks[plan_.before.active_index].image);
    if (!from) return from.error();
    const Result<Partition> to = target_partition(plan_.before, planner_.device.partitions, at, *plan_.bank);
    if (!to) return to.error();
    if (from->size_bytes > to->size_bytes) {
      return fail(ERANGE, "no capsule has image type " + to_string(entry.image_type) + ", and partition " +
                              std::to_string(to->number) + " is too small for a copy of partition " +
                              std::to_string(from->number));
    }
    PlannedImage image;
    image.position = at, image.target = *to, image.source_offset = from->offset_bytes, image.bytes = from->size_bytes;
    return image;
  }

  // Each image by its type and all that is recorded of it.
  DigestBytes digest_of(const std::vector<PlannedImage>& images) const {
    const std::unique_ptr<Digest> digest = planner_.digests.sha256();
    for (const PlannedImage& image : images) {
      if (!image.source) continue;
      std::array<std::byte, Guid::kBytes + 24> head{};
      store_guid(head.data(), plan_.before.images[image.position].image_type);
      store_le32(&head[16], image.version.fw_version);
      store_le32(&head[20], image.version.lowest_supported_version);
      store_le64(&head[24], image.monotonic_count);
      head[32] = std::byte{image.on_trial};
      digest->update(head);
      digest->update(as_bytes(image.digest));
    }
    return digest->finish();
  }

  // Accept and revert: only of a bank on trial, and one of the two.
  void plan_answers() {
    if (!on_trial()) {
      refuse_good(fail(EINVAL, "bank " + std::to_string(plan_.before.active_index) +
                                   " is not on trial: there is nothing to accept or revert"));
    }
    Metadata after = plan_.before;
    each_good(CapsuleKind::accept, [&](const Capsule& capsule, std::size_t) -> Status {
      Status accepted = accept_image(after, capsule.accept_image_type);
      if (accepted) plan_.accepts.push_back(capsule.accept_image_type);
      return accepted;
    });
    each_good(CapsuleKind::revert, [&](const Capsule&, std::size_t) -> Status {
      if (plan_.revert_to) return fail(EINVAL, "an earlier capsule of this run reverts already");
      plan_.revert_to = fallback_bank(plan_.before, plan_.before.active_index);
      if (plan_.revert_to) return {};
      return fail(ENOENT, "no other bank can boot: there is nothing to revert to");
    });
  }

  // All or nothing. A second revert in a run changes nothing, so the first one stands.
  void call_off() {
    if (plan_.revert_to) return;
    plan_.bank.reset();
    plan_.images.clear();
    plan_.accepts.clear();
    refuse_good(fail(ECANCELED, "another capsule of this run cannot be applied, so none is"));
  }

  const Planner& planner_;
  std::vector<CapsuleFile> files_;
  std::vector<std::optional<Capsule>> capsules_;
  std::array<unsigned, 3> kinds_{};
  Plan plan_;
};

}  // namespace

bool Plan::failed() const {
  return std::any_of(outcomes.begin(), outcomes.end(), [](const CapsuleOutcome& outcome) { return !outcome.status; });
}

std::uint64_t Plan::bytes() const {
  std::uint64_t sum = 0;
  for (const PlannedImage& image : images) sum += image.bytes;
  return sum;
}

Result<Plan> Planner::plan(std::vector<CapsuleFile> files, std::uint32_t boot_bank) const {
  const Result<MetadataCopies> copies = MetadataCopies::find(device);
  if (!copies) return copies.error();
  Result<Metadata> metadata = copies->load();
  if (!metadata) return std::move(metadata).error();
  sort_by_name(files);
  return Planning(*this, std::move(files), *std::move(metadata)).run(boot_bank);
}

Plan refuse_all(std::vector<CapsuleFile> files, const Error& why) {
  sort_by_name(files);
  Plan plan;
  plan.outcomes = unread_outcomes(files);
  for (CapsuleOutcome& outcome : plan.outcomes) {
    if (outcome.status) outcome.status = why;
  }
  return plan;
}

}  // namespace vif::fwu
