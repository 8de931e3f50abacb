// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/boot_check.hpp"

#include "services/fwu/bank_rules.hpp"
#include "services/fwu/metadata_copies.hpp"
#include "services/fwu/versions.hpp"

namespace vif::fwu {
namespace {

class BootCheck {
 public:
  BootCheck(const Device& device, MetadataCopies copies, const BootPolicy& policy)
      : device_(device), copies_(copies), policy_(policy) {}

  Result<BootOutcome> run(std::uint32_t boot_bank) {
    std::string repaired;
    Result<Metadata> metadata = copies_.load_and_repair(repaired);
    if (!metadata) return std::move(metadata).error();
    outcome_.metadata = *std::move(metadata);
    outcome_.boot_bank = boot_bank;
    if (!repaired.empty()) note(repaired);
    if (boot_bank >= outcome_.metadata.banks) {
      return fail(std::errc::invalid_argument, "bank " + std::to_string(boot_bank) + " is said to run, there are " +
                                                   std::to_string(outcome_.metadata.banks));
    }
    if (Status followed = follow_loader(); !followed) return followed.error();
    const bool on_trial = bank_state(outcome_.metadata, boot_bank) == BankState::valid;
    if (Status counted = on_trial ? count_trial() : end_trial(); !counted) return counted.error();
    if (device_.trace) {
      device_.trace->boot_checked(boot_bank, outcome_.trial_boot, outcome_.metadata.active_index);
    }
    return std::move(outcome_);
  }

 private:
  void note(std::string text) { outcome_.notes.push_back(std::move(text)); }

  Status replace(const Metadata& after) {
    if (Status replaced = copies_.replace(outcome_.metadata, after); !replaced) return replaced;
    outcome_.metadata = after;
    return {};
  }

  Status follow_loader() {
    const std::uint32_t active = outcome_.metadata.active_index;
    if (outcome_.boot_bank == active) return {};
    Metadata after = outcome_.metadata;
    fall_back(after, outcome_.boot_bank);
    note("bank " + std::to_string(active) + " was to boot, an earlier loader took bank " +
         std::to_string(outcome_.boot_bank) + ": that one is active now");
    return replace(after);
  }

  // A counter that is lost counts from 0: a trial goes on longer rather than for ever.
  Result<std::uint16_t> boots_so_far() {
    Result<std::optional<Variable>> variable = device_.variables.get(kGlobalVariable, kTrialCounterName);
    if (!variable) return std::move(variable).error();
    const auto boots = *variable ? read_trial_counter(**variable) : std::nullopt;
    if (!boots) note("the trial counter is missing: it starts again");
    return boots.value_or(0);
  }

  Status count_trial() {
    const Result<std::uint16_t> boots = boots_so_far();
    if (!boots) return boots.error();
    const std::uint32_t bank = outcome_.boot_bank;
    if (*boots < policy_.trial_boots) {
      outcome_.trial_boot = static_cast<std::uint16_t>(*boots + 1);
      note("bank " + std::to_string(bank) + " is on trial: boot " + std::to_string(outcome_.trial_boot) + " of " +
           std::to_string(policy_.trial_boots));
      return device_.variables.set(trial_counter_variable(outcome_.trial_boot));
    }
    const std::optional<std::uint32_t> fallback = fallback_bank(outcome_.metadata, bank);
    if (!fallback) {
      outcome_.trial_boot = *boots;
      note("bank " + std::to_string(bank) + " was never accepted, but no other one can boot: it stays");
      return {};
    }
    Metadata after = outcome_.metadata;
    fall_back(after, *fallback);
    outcome_.next_bank = fallback;
    note("bank " + std::to_string(bank) + " was not accepted within " + std::to_string(policy_.trial_boots) +
         " boots: bank " + std::to_string(*fallback) + " boots next");
    if (Status replaced = replace(after); !replaced) return replaced;
    return erase_counter();
  }

  // Also after a power cut between accepting and what follows from it.
  Status end_trial() {
    if (bank_state(outcome_.metadata, outcome_.boot_bank) == BankState::accepted) {
      if (Status raised = raise_floors(device_.variables, outcome_.metadata); !raised) return raised;
    }
    return erase_counter();
  }

  Status erase_counter() { return device_.variables.erase(kGlobalVariable, kTrialCounterName); }

  const Device& device_;
  MetadataCopies copies_;
  BootPolicy policy_;
  BootOutcome outcome_;
};

}  // namespace

Result<BootOutcome> check_boot(const Device& device, std::uint32_t boot_bank, const BootPolicy& policy) {
  Result<MetadataCopies> copies = MetadataCopies::find(device);
  if (!copies) return std::move(copies).error();
  return BootCheck(device, *copies, policy).run(boot_bank);
}

}  // namespace vif::fwu
