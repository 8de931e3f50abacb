// SPDX-License-Identifier: BSD-2-Clause
// Any frames into lwIP with a listener, an open connection and a socket, at any pace, with open checksums or without:
// every frame is accounted for, limits hold, and nothing is kept.
//
// Input: frames, each a byte of how, a two-byte length (big-endian) and as many bytes as are left. How: bit 0 completes
// the checksums, bit 1 lets time pass, bit 2 puts the Ethernet header to us before it, bit 3 leaves a checksum open.
#include <cstdint>

#include "tests/netstack/lwip/lwip_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif;
  using namespace vif::test;
  LwipTarget target;
  const auto left = std::as_bytes(std::span(data, size));
  for (std::size_t at = 0; at + 3 <= left.size();) {
    const auto how = std::to_integer<unsigned>(left[at]);
    const std::size_t bytes = std::min<std::size_t>(load_be16(left.data() + at + 1), left.size() - at - 3);
    Frame frame(left.begin() + static_cast<long>(at + 3), left.begin() + static_cast<long>(at + 3 + bytes));
    at += 3 + bytes;
    if ((how & 4) != 0) frame = ether(kOurMac, (how & 16) != 0 ? 0x86dd : 0x0800, frame);
    if ((how & 1) != 0) correct_checksums(frame);
    net::Offload offload;
    if ((how & 8) != 0) offload = {.flags = net::Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 16};
    target.arrive(std::move(frame), offload);
    if ((how & 2) != 0) target.run(std::chrono::milliseconds(how * 20));
    target.check();
  }
  return 0;
}
