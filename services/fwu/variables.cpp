// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/variables.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>

#include "services/fwu/little_endian.hpp"

namespace vif::fwu {
namespace {

// EFI_CAPSULE_RESULT_VARIABLE_HEADER
constexpr std::size_t kResultBytes = 48, kResultGuidAt = 8, kResultTimeAt = 24, kResultStatusAt = 40;
// FwuFloorXXXX: version u32, zero u32, count u64, then a count for each bank.
constexpr std::size_t kFloorHeadBytes = 16, kFloorCountBytes = 8;
constexpr std::size_t kFmpStateBytes = 16;
constexpr std::string_view kCapsule = "Capsule";

std::string with_index(std::string_view name, std::uint16_t index) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text(name);
  for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[index >> shift & 0xf];
  return text;
}

// EFI_TIME, in UTC.
void store_time(std::byte* to, std::int64_t wall_ns) {
  const auto since_epoch = std::chrono::nanoseconds(wall_ns);
  const auto days = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::chrono::hh_mm_ss time(since_epoch - days);
  store_le16(to, static_cast<std::uint16_t>(static_cast<int>(date.year())));
  to[2] = static_cast<std::byte>(static_cast<unsigned>(date.month()));
  to[3] = static_cast<std::byte>(static_cast<unsigned>(date.day()));
  to[4] = static_cast<std::byte>(time.hours().count());
  to[5] = static_cast<std::byte>(time.minutes().count());
  to[6] = static_cast<std::byte>(time.seconds().count());
  store_le32(to + 8, static_cast<std::uint32_t>(time.subseconds().count()));
}

}  // namespace

EfiStatus efi_status(const Status& status) {
  if (status) return EfiStatus::success;
  switch (status.error().number()) {
    case EINVAL:
    case EBUSY:
    case EBADMSG:
      return EfiStatus::invalid_parameter;
    case ENOTSUP:
      return EfiStatus::unsupported;
    case EIO:
    case ENOSPC:
    case EROFS:
    case ERANGE:
      return EfiStatus::device_error;
    case ENOENT:
    case ENODEV:
      return EfiStatus::not_found;
    case EKEYREJECTED:
      return EfiStatus::security_violation;
    default:
      return EfiStatus::out_of_resources;
  }
}

Variable trial_counter_variable(std::uint16_t boots) {
  Variable variable{kGlobalVariable, kTrialCounterName, kNonVolatile | kBootService, std::vector<std::byte>(2)};
  store_le16(variable.bytes.data(), boots);
  return variable;
}

std::optional<std::uint16_t> read_trial_counter(const Variable& variable) {
  if (variable.bytes.size() != sizeof(std::uint16_t)) return std::nullopt;
  return load_le16(variable.bytes.data());
}

std::string capsule_result_name(std::uint16_t index) { return with_index(kCapsule, index); }

Variable capsule_result_variable(std::uint16_t index, const CapsuleResult& result) {
  Variable variable{kCapsuleReport, capsule_result_name(index), kNonVolatile | kBootService | kRuntime,
                    std::vector<std::byte>(kResultBytes)};
  std::byte* to = variable.bytes.data();
  store_le32(to, kResultBytes);
  store_guid(to + kResultGuidAt, result.capsule);
  store_time(to + kResultTimeAt, result.processed_ns);
  store_le64(to + kResultStatusAt, static_cast<std::uint64_t>(result.status));
  return variable;
}

// The name in UTF-16, without an end.
Variable capsule_last_variable(std::uint16_t index) {
  const std::string name = capsule_result_name(index);
  Variable variable{kCapsuleReport, "CapsuleLast", kReadOnly | kNonVolatile | kBootService | kRuntime,
                    std::vector<std::byte>(name.size() * 2)};
  for (std::size_t i = 0; i < name.size(); ++i) variable.bytes[i * 2] = static_cast<std::byte>(name[i]);
  return variable;
}

std::optional<std::uint16_t> read_capsule_last(const Variable& variable) {
  std::string name;
  for (std::size_t i = 0; i + 1 < variable.bytes.size(); i += 2) {
    if (variable.bytes[i + 1] != std::byte{0}) return std::nullopt;
    name += static_cast<char>(variable.bytes[i]);
  }
  if (name.size() != kCapsule.size() + 4 || !name.starts_with(kCapsule)) return std::nullopt;
  std::uint16_t index = 0;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + kCapsule.size(), end, index, 16);
  return error == std::errc() && stopped == end ? std::optional(index) : std::nullopt;
}

std::string fmp_state_name(std::uint8_t image_index) { return with_index("FmpState", image_index); }

Variable fmp_state_variable(const Guid& image_type, std::uint8_t image_index, const std::vector<FmpState>& banks) {
  Variable variable{image_type, fmp_state_name(image_index), kReadOnly | kNonVolatile | kBootService | kRuntime,
                    std::vector<std::byte>(banks.size() * kFmpStateBytes)};
  std::byte* to = variable.bytes.data();
  for (const FmpState& state : banks) {
    store_le32(to, state.fw_version);
    store_le32(to + 4, state.lowest_supported_version);
    store_le32(to + 8, state.last_attempt_version);
    store_le32(to + 12, state.last_attempt_status);
    to += kFmpStateBytes;
  }
  return variable;
}

std::vector<FmpState> read_fmp_state(const Variable& variable, std::uint32_t banks) {
  std::vector<FmpState> states(banks);
  if (variable.bytes.size() != banks * kFmpStateBytes) return states;
  const std::byte* from = variable.bytes.data();
  for (FmpState& state : states) {
    state = {load_le32(from), load_le32(from + 4), load_le32(from + 8), load_le32(from + 12)};
    from += kFmpStateBytes;
  }
  return states;
}

std::string image_floor_name(std::uint8_t image_index) { return with_index("FwuFloor", image_index); }

Variable image_floor_variable(const Guid& image_type, std::uint8_t image_index, const ImageFloor& floor) {
  Variable variable{image_type, image_floor_name(image_index), kReadOnly | kNonVolatile | kBootService | kRuntime,
                    std::vector<std::byte>(kFloorHeadBytes + floor.bank_counts.size() * kFloorCountBytes)};
  std::byte* to = variable.bytes.data();
  store_le32(to, floor.lowest_version);
  store_le64(to + 8, floor.monotonic_count);
  for (std::size_t bank = 0; bank < floor.bank_counts.size(); ++bank) {
    store_le64(to + kFloorHeadBytes + bank * kFloorCountBytes, floor.bank_counts[bank]);
  }
  return variable;
}

Result<ImageFloor> read_image_floor(const Variable& variable, std::uint32_t banks) {
  ImageFloor floor;
  floor.bank_counts.resize(banks);
  if (const std::size_t expected = kFloorHeadBytes + banks * kFloorCountBytes; variable.bytes.size() != expected) {
    return fail(EBADMSG, "the variable " + variable.name + " of image type " + to_string(variable.space) + " has " +
                             std::to_string(variable.bytes.size()) + " bytes, " + std::to_string(expected) +
                             " were expected: the floor below which firmware may not go back is not known");
  }
  const std::byte* from = variable.bytes.data();
  floor.lowest_version = load_le32(from);
  floor.monotonic_count = load_le64(from + 8);
  for (std::uint32_t bank = 0; bank < banks; ++bank) {
    floor.bank_counts[bank] = load_le64(from + kFloorHeadBytes + bank * kFloorCountBytes);
  }
  return floor;
}

}  // namespace vif::fwu
