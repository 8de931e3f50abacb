// SPDX-License-Identifier: BSD-2-Clause
// The one parser of classic pcap: both byte orders, us and ns, the modified format, versions 2.0 to 2.4 and 543.0.
// It sees bytes only; CaptureReader owns them and the order of calls. Plain value, one thread at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "netstack/capture/capture.hpp"
#include "netstack/capture/parsed_bytes.hpp"

namespace vif::net {

class PcapParser {
 public:
  // True if a file that begins with these 4 bytes is pcap.
  static bool recognises(Bytes magic);

  // `header`: the file's first bytes, recognised; fewer than 24 are an error. Errors: EBADMSG cut short, ENOTSUP
  // version.
  static Result<PcapParser> open(Bytes header);

  // Parses whole records from `input`, which begins at byte `offset` of the file with a record header.
  ParsedBytes parse(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into) const;

  // The file ended with `rest` (no whole record) left over at byte `offset`: damage, unless nothing is.
  std::optional<Error> damage_at_end(Bytes rest, std::uint64_t offset) const;

  std::span<const CaptureInterface> interfaces() const { return {&interface_, 1}; }

 private:
  struct Record;
  enum class LengthOrder : std::uint8_t { captured_first, captured_last, smaller_is_captured };

  template <std::endian kOrder>
  Record load_record(const std::byte* at) const;
  template <std::endian kOrder>
  ParsedBytes parse_records(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into) const;

  CaptureInterface interface_;
  std::size_t record_header_bytes_ = 0;
  std::int64_t ns_per_fraction_ = 0;
  std::endian order_ = std::endian::little;
  LengthOrder length_order_ = LengthOrder::captured_first;
};

}  // namespace vif::net
