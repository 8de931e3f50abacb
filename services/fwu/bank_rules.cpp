// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/bank_rules.hpp"

#include <algorithm>
#include <string>

namespace vif::fwu {
namespace {

void set_state(Metadata& metadata, std::uint32_t bank, BankState state) {
  if (metadata.version != 1) metadata.bank_state_bytes[bank] = static_cast<std::uint8_t>(state);
}

std::string bank_name(std::uint32_t bank) { return "bank " + std::to_string(bank); }

}  // namespace

bool all_accepted(const Metadata& metadata, std::uint32_t bank) {
  return std::all_of(metadata.images.begin(), metadata.images.end(),
                     [bank](const ImageEntry& entry) { return entry.banks[bank].is_accepted(); });
}

BankState bank_state(const Metadata& metadata, std::uint32_t bank) {
  if (metadata.version == 1) {
    if (all_accepted(metadata, bank)) return BankState::accepted;
    return bank == metadata.active_index ? BankState::valid : BankState::invalid;
  }
  const auto state = static_cast<BankState>(metadata.bank_state_bytes[bank]);
  const bool known = state == BankState::accepted || state == BankState::valid;
  return known ? state : BankState::invalid;
}

std::optional<std::uint32_t> fallback_bank(const Metadata& metadata, std::uint32_t failed) {
  for (const BankState wanted : {BankState::accepted, BankState::valid}) {
    const std::uint32_t previous = metadata.previous_active_index;
    if (previous != failed && bank_state(metadata, previous) == wanted) return previous;
    for (std::uint32_t bank = 0; bank < metadata.banks; ++bank) {
      if (bank != failed && bank_state(metadata, bank) == wanted) return bank;
    }
  }
  return std::nullopt;
}

Result<std::uint32_t> update_bank(const Metadata& metadata) {
  if (metadata.banks < 2) {
    return fail(std::errc::operation_not_supported,
                "there is one bank, and it is running: an update would overwrite it. Two banks are needed");
  }
  const auto first = [&](auto&& fits) -> std::optional<std::uint32_t> {
    for (std::uint32_t step = 1; step < metadata.banks; ++step) {
      const std::uint32_t bank = (metadata.active_index + step) % metadata.banks;
      if (fits(bank)) return bank;
    }
    return std::nullopt;
  };
  const auto invalid = [&](std::uint32_t bank) { return bank_state(metadata, bank) == BankState::invalid; };
  const auto spare = [&](std::uint32_t bank) { return bank != metadata.previous_active_index; };
  if (const auto bank = first(invalid)) return *bank;
  if (const auto bank = first(spare)) return *bank;
  return *first([](std::uint32_t) { return true; });
}

void begin_update(Metadata& metadata, std::uint32_t bank) {
  for (ImageEntry& entry : metadata.images) entry.banks[bank].accept(false);
  set_state(metadata, bank, BankState::invalid);
}

bool update_begun(const Metadata& metadata, std::uint32_t bank) {
  Metadata begun = metadata;
  begin_update(begun, bank);
  return begun == metadata;
}

void commit_update(Metadata& metadata, std::uint32_t bank, std::span<const bool> on_trial) {
  for (std::size_t i = 0; i < metadata.images.size(); ++i) metadata.images[i].banks[bank].accept(!on_trial[i]);
  metadata.previous_active_index = metadata.active_index;
  metadata.active_index = bank;
  set_state(metadata, bank, all_accepted(metadata, bank) ? BankState::accepted : BankState::valid);
}

Status accept_image(Metadata& metadata, const Guid& image_type) {
  const auto entry = std::find_if(metadata.images.begin(), metadata.images.end(),
                                  [&](const ImageEntry& other) { return other.image_type == image_type; });
  if (entry == metadata.images.end()) {
    return fail(std::errc::no_such_file_or_directory, "no image has the type " + to_string(image_type));
  }
  entry->banks[metadata.active_index].accept(true);
  if (all_accepted(metadata, metadata.active_index)) set_state(metadata, metadata.active_index, BankState::accepted);
  return {};
}

void fall_back(Metadata& metadata, std::uint32_t bank) {
  set_state(metadata, metadata.active_index, BankState::invalid);
  metadata.previous_active_index = metadata.active_index;
  metadata.active_index = bank;
}

Status clear_invalid(Metadata& metadata, std::uint32_t bank) {
  if (bank >= metadata.banks || metadata.version == 1 || bank_state(metadata, bank) != BankState::invalid) {
    return fail(std::errc::invalid_argument, bank_name(bank) + " is not marked invalid" +
                                                 (metadata.version == 1 ? " (version 1 has no such mark)" : ""));
  }
  set_state(metadata, bank, all_accepted(metadata, bank) ? BankState::accepted : BankState::valid);
  return {};
}

}  // namespace vif::fwu
