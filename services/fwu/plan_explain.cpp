// SPDX-License-Identifier: BSD-2-Clause
// A plan, in sentences.
#include "services/fwu/plan.hpp"

namespace vif::fwu {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string sentence(const Plan& plan, const PlannedImage& image) {
  const std::string to = " into partition " + number(image.target.number) + " (" +
                         to_string(plan.before.images[image.position].image_type) + ")";
  if (!image.source) return "copy " + number(image.bytes) + " bytes of the active bank" + to + ": no capsule has them";
  return "write " + number(image.bytes) + " bytes of " + plan.outcomes[image.capsule].name + to + ", version " +
         number(image.version.fw_version) + (image.on_trial ? ", to be accepted later" : ", accepted at once");
}

}  // namespace

std::vector<std::string> Plan::explain() const {
  std::vector<std::string> steps;
  if (already_installed) return {"nothing: bank " + number(before.active_index) + " came from these capsules"};
  for (const Guid& type : accepts) {
    steps.push_back("accept image type " + to_string(type) + " of bank " + number(before.active_index));
  }
  if (revert_to) {
    steps.push_back("go back from bank " + number(before.active_index) + " to bank " + number(*revert_to));
  }
  if (!bank) return steps;
  steps.push_back("mark bank " + number(*bank) + " as unfinished in both copies of the FWU metadata");
  for (const PlannedImage& image : images) steps.push_back(sentence(*this, image));
  steps.push_back("flush, read back, compare with what was verified");
  steps.push_back("record versions and the trial counter, then let bank " + number(*bank) + " boot next, bank " +
                  number(before.active_index) + " stays to fall back to");
  return steps;
}

}  // namespace vif::fwu
