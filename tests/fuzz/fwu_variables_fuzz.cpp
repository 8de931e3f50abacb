// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a file of EFI variables, with their CRC and with one that fits; and as the value of each variable we
// read.
#include "services/fwu/crc32.hpp"
#include "services/fwu/little_endian.hpp"
#include "services/fwu/variable_file.hpp"

namespace vif::test {
namespace {

using namespace fwu;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes file) {
  const Result<std::vector<Variable>> variables = read_variable_file(file);
  if (!variables) return require(!variables.error().text.empty());
  const Result<std::vector<Variable>> again = read_variable_file(write_variable_file(*variables));
  require(again && *again == *variables);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::fwu;
  const auto input = std::as_bytes(std::span(data, size));
  vif::test::check(input);
  std::vector<std::byte> file(24);
  store_le64(&file[8], 0x0161'5669'6645'6255);
  append(file, input);
  store_le32(&file[16], static_cast<std::uint32_t>(file.size()));
  store_le32(&file[20], crc32(input));
  vif::test::check(file);
  const Variable variable{kGlobalVariable, "X", 7, {input.begin(), input.end()}};
  (void)read_trial_counter(variable);
  (void)read_capsule_last(variable);
  vif::test::require(read_fmp_state(variable, 4).size() == 4);
  const auto floor = read_image_floor(variable, 3);
  vif::test::require(floor ? floor->bank_counts.size() == 3 : !floor.error().text.empty());
  return 0;
}
