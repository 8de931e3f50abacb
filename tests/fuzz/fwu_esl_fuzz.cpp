// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as an EFI signature list, as they are and behind a list's head that is right: each certificate lies within
// the file, behind the one before, and its owner's GUID before it.
#include <array>

#include "hypercall/fwu/certificates.hpp"

namespace vif::test {
namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes list) {
  const std::byte* behind = list.data();
  for (const Bytes certificate : host::certificates_of_esl(list)) {
    require(!certificate.empty() && certificate.data() >= behind + 16);
    behind = certificate.data() + certificate.size();
    require(behind <= list.data() + list.size());
  }
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::uint8_t, 16> kX509List = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                                      0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};
  const auto bytes = std::as_bytes(std::span(data, size));
  vif::test::check(bytes);
  const auto head = std::as_bytes(std::span(kX509List));
  std::vector<std::byte> list(head.begin(), head.end());
  list.insert(list.end(), bytes.begin(), bytes.end());
  vif::test::check(list);
  return 0;
}
