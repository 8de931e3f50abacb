// SPDX-License-Identifier: BSD-2-Clause
// Which capsules the last update installed, and where: a variable of our own (FwuUpdate, global space), written before
// the metadata says so. With it a run that the power interrupted after its end is known to be done. One thread.
#pragma once

#include <cstring>

#include "services/fwu/device.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {

struct Journal {
  static constexpr const char* kName = "FwuUpdate";
  static constexpr std::size_t kBytes = 36;             // digest, then the bank as u32
  static constexpr std::uint32_t kBegun = 0xffff'ffff;  // no bank: they are not installed yet
  DigestBytes digest{};
  std::uint32_t bank = 0;

  static Result<std::optional<Journal>> load(VariablePort& variables) {
    Result<std::optional<Variable>> variable = variables.get(kGlobalVariable, kName);
    if (!variable) return std::move(variable).error();
    if (!*variable || (*variable)->bytes.size() != kBytes) return std::optional<Journal>();
    Journal journal;
    std::memcpy(journal.digest.data(), (*variable)->bytes.data(), journal.digest.size());
    journal.bank = load_le32(&(*variable)->bytes[journal.digest.size()]);
    return std::optional(journal);
  }

  static Status erase(VariablePort& variables) { return variables.erase(kGlobalVariable, kName); }

  Status store(VariablePort& variables) const {
    Variable variable{kGlobalVariable, kName, kNonVolatile | kBootService, std::vector<std::byte>(kBytes)};
    std::memcpy(variable.bytes.data(), digest.data(), digest.size());
    store_le32(&variable.bytes[digest.size()], bank);
    return variables.set(variable);
  }
};

}  // namespace vif::fwu
