// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as what virtifd sends to a client that captures: a record within the input, "more is needed", or an error;
// and what was read is written as the same bytes.
#include <algorithm>
#include <cstdint>

#include "hypercall/host/capture/capture_record.hpp"

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::host;
  constexpr std::size_t kInterfaces = 3;
  vif::Bytes rest(reinterpret_cast<const std::byte*>(data), size);
  for (;;) {
    const auto record = parse_capture_record(rest, kInterfaces);
    if (!record || !*record) return 0;
    const CaptureRecord& read = **record;
    require(read.interface < kInterfaces && read.body.size() <= kCaptureBodyBytesMax);
    const auto head = capture_head(read, read.body.size());
    require(std::ranges::equal(head, rest.first(kCaptureHeadBytes)));
    if (read.kind != CaptureRecord::Kind::frame) {
      require(std::ranges::equal(tally_bytes(tally_of(read)), read.body));
    }
    rest = rest.subspan(kCaptureHeadBytes + read.body.size());
  }
}
