// SPDX-License-Identifier: BSD-2-Clause
// The EFI variables an update reads and leaves behind, and what is in them: the trial counter, a result for each
// capsule, the versions in each bank (UEFI 2.10, sections 8.5.6 and 23.5; U-Boot's for the last). Plain values, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "services/fwu/guid.hpp"

namespace vif::fwu {

// Attributes of variables.
inline constexpr std::uint32_t kNonVolatile = 0x1, kBootService = 0x2, kRuntime = 0x4;
inline constexpr std::uint32_t kReadOnly = 0x8000'0000;  // U-Boot's, for variables that only firmware writes

struct Variable {
  Guid space;
  std::string name;  // ASCII
  std::uint32_t attributes = 0;
  std::vector<std::byte> bytes;
  bool operator==(const Variable&) const = default;
};

// Where they are kept. One thread at a time.
class VariablePort {
 public:
  virtual ~VariablePort() = default;

  // Nothing: there is none of this name.
  virtual Result<std::optional<Variable>> get(const Guid& space, const std::string& name) = 0;

  // Both are whole or not at all, and last once they have returned, whenever the power goes.
  virtual Status set(const Variable& variable) = 0;
  virtual Status erase(const Guid& space, const std::string& name) = 0;  // of one that is not there: nothing
};

// How many times a bank on trial has been booted. Exactly two bytes; anything else is no counter.
inline constexpr const char* kTrialCounterName = "TrialStateCtr";
VIF_API Variable trial_counter_variable(std::uint16_t boots);
VIF_API std::optional<std::uint16_t> read_trial_counter(const Variable& variable);

// EFI_STATUS, as results store it: errors have bit 63.
enum class EfiStatus : std::uint64_t {
  success = 0,
  invalid_parameter = 0x8000'0000'0000'0002,
  unsupported = 0x8000'0000'0000'0003,
  device_error = 0x8000'0000'0000'0007,
  out_of_resources = 0x8000'0000'0000'0009,
  not_found = 0x8000'0000'0000'000e,
  security_violation = 0x8000'0000'0000'001a,
};

// What an errno of this service means to firmware; docs/fwu.md has the table.
VIF_API EfiStatus efi_status(const Status& status);

// "Capsule000A"
VIF_API std::string capsule_result_name(std::uint16_t index);

struct CapsuleResult {
  Guid capsule;
  std::int64_t processed_ns = 0;  // since 1970-01-01 UTC
  EfiStatus status = EfiStatus::success;
};
VIF_API Variable capsule_result_variable(std::uint16_t index, const CapsuleResult& result);
VIF_API Variable capsule_last_variable(std::uint16_t index);
VIF_API std::optional<std::uint16_t> read_capsule_last(const Variable& variable);

// What is in an image's partition, bank by bank. U-Boot keeps it as FmpStateXXXX (XXXX: the image index) in the name
// space of the image type, 16 bytes a bank.
struct FmpState {
  std::uint32_t fw_version = 0;
  std::uint32_t lowest_supported_version = 0;
  std::uint32_t last_attempt_version = 0;
  std::uint32_t last_attempt_status = 0;
  bool operator==(const FmpState&) const = default;
};
VIF_API std::string fmp_state_name(std::uint8_t image_index);
VIF_API Variable fmp_state_variable(const Guid& image_type, std::uint8_t image_index,
                                    const std::vector<FmpState>& banks);
// One for each of `banks`; all zero when the variable is of another size.
VIF_API std::vector<FmpState> read_fmp_state(const Variable& variable, std::uint32_t banks);

// What may no longer be installed of an image: FwuFloorXXXX beside FmpStateXXXX. Only ever raised, when a bank is
// accepted. The counts of banks wait until then.
struct ImageFloor {
  std::uint32_t lowest_version = 0;
  std::uint64_t monotonic_count = 0;
  std::vector<std::uint64_t> bank_counts;
  bool operator==(const ImageFloor&) const = default;
};
VIF_API std::string image_floor_name(std::uint8_t image_index);
VIF_API Variable image_floor_variable(const Guid& image_type, std::uint8_t image_index, const ImageFloor& floor);
// EBADMSG: it is of another size. A floor that is lost would let old firmware back in.
VIF_API Result<ImageFloor> read_image_floor(const Variable& variable, std::uint32_t banks);

}  // namespace vif::fwu
