// SPDX-License-Identifier: BSD-2-Clause
// boot, repair and unmark.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "services/fwu/bank_rules.hpp"
#include "services/fwu/boot_check.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {
namespace {

using Json = nlohmann::json;

Json json_of(const fwu::BootOutcome& outcome) {
  return {{"boot_bank", outcome.boot_bank},
          {"active_index", outcome.metadata.active_index},
          {"previous_active_index", outcome.metadata.previous_active_index},
          {"trial_boot", outcome.trial_boot},
          {"next_bank", outcome.next_bank ? Json(*outcome.next_bank) : Json()},
          {"notes", outcome.notes}};
}

void print(const fwu::BootOutcome& outcome) {
  fmt::print("bank {} runs\n", outcome.boot_bank);
  for (const std::string& note : outcome.notes) fmt::print("  {}\n", note);
}

}  // namespace

int fwu_boot(const FwuOptions& options) {
  auto opened = FwuDevice::open(options, host::Access::write);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  const fwu::Device device = (*opened)->device();
  Json boots = Json::array();
  for (bool more = true; more;) {
    const auto metadata = fwu_metadata(device);
    if (!metadata) return fwu_say(metadata.error().text, kFwuFailed);
    if (const auto wrong = fwu_no_such_bank(options, *metadata); !wrong.empty()) return fwu_say(wrong, kFwuUsage);
    const std::uint32_t bank = boots.empty() && options.bank ? *options.bank : metadata->active_index;
    const auto outcome = fwu::check_boot(device, bank, {options.trial_boots});
    if (!outcome) return fwu_say(outcome.error().text, kFwuFailed);
    boots.push_back(json_of(*outcome));
    if (!options.json) print(*outcome);
    // A bank that nobody accepted and nothing can replace would boot for ever.
    more = options.loop && boots.size() <= options.trial_boots + 2u && (outcome->trial_boot > 0 || outcome->next_bank);
  }
  if (options.json) fmt::print("{}\n", boots.dump(2));
  return 0;
}

int fwu_repair(const FwuOptions& options) {
  auto opened = FwuDevice::open(options, host::Access::write);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  const fwu::Device device = (*opened)->device();
  Result<fwu::MetadataCopies> copies = fwu::MetadataCopies::find(device);
  if (!copies) return fwu_say(copies.error().text, kFwuFailed);
  if (copies->load())
    return fwu_say("a copy of the metadata is good: the next boot repairs the other one", kFwuRefused);
  const auto place =
      options.copy == "primary" ? fwu::MetadataCopies::Place::primary : fwu::MetadataCopies::Place::secondary;
  const Status forced = copies->force(place, (*opened)->geometry);
  return forced ? 0 : fwu_say(forced.error().text, kFwuFailed);
}

// The reason stays beside the metadata, as a variable of our own.
int fwu_unmark(const FwuOptions& options) {
  auto opened = FwuDevice::open(options, host::Access::write);
  if (!opened) return fwu_say(opened.error().text, kFwuFailed);
  const fwu::Device device = (*opened)->device();
  Result<fwu::MetadataCopies> copies = fwu::MetadataCopies::find(device);
  if (!copies) return fwu_say(copies.error().text, kFwuFailed);
  const auto before = copies->load();
  if (!before) return fwu_say(before.error().text, kFwuFailed);
  if (const auto wrong = fwu_no_such_bank(options, *before); !wrong.empty()) return fwu_say(wrong, kFwuUsage);
  fwu::Metadata after = *before;
  if (Status cleared = fwu::clear_invalid(after, *options.bank); !cleared) {
    return fwu_say(cleared.error().text, kFwuRefused);
  }
  const auto reason = as_bytes(options.reason);
  const fwu::Variable note{
      fwu::kGlobalVariable, "FwuUnmarked", fwu::kNonVolatile | fwu::kBootService, {reason.begin(), reason.end()}};
  Status done = device.variables.set(note);
  if (done) done = copies->replace(*before, after);
  return done ? 0 : fwu_say(done.error().text, kFwuFailed);
}

}  // namespace vif::tools
