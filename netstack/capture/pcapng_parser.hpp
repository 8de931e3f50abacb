// SPDX-License-Identifier: BSD-2-Clause
// The one parser of pcapng: any number of sections in either byte order, each with interfaces of its own; enhanced,
// simple and obsolete packet blocks; every other block is skipped without being held in memory.
// It sees bytes only; CaptureReader owns them and the order of calls. One thread at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "netstack/capture/capture.hpp"
#include "netstack/capture/parsed_bytes.hpp"

namespace vif::net {

class PcapngParser {
 public:
  // The largest packet or interface block: a frame of kCaptureFrameBytesMax and half a MiB of options.
  static constexpr std::size_t kBlockBytesMax = 768 * 1024;

  // True if a file that begins with these 4 bytes is pcapng.
  static bool recognises(Bytes magic);

  // Parses whole blocks from `input`, which begins at byte `offset` of the file and where the last call stopped.
  // A trailing part of at most kBlockBytesMax is left undone until the rest of it is there.
  ParsedBytes parse(Bytes input, std::uint64_t offset, std::span<CaptureFrame> into);

  // The file ended with `rest` (no whole block) left over at byte `offset`: damage, unless nothing is and no block is
  // being skipped.
  std::optional<Error> damage_at_end(Bytes rest, std::uint64_t offset) const;

  // All interfaces described so far, in file order.
  std::span<const CaptureInterface> interfaces() const { return interfaces_; }

 private:
  struct Block;  // a whole block in memory

  std::size_t advance(Bytes rest, std::uint64_t offset, std::span<CaptureFrame> into, ParsedBytes& parsed);
  std::size_t begin_section(Bytes rest, std::uint64_t offset, ParsedBytes& parsed);
  template <std::endian kOrder>
  std::size_t advance_block(Bytes rest, std::uint64_t offset, std::span<CaptureFrame> into, ParsedBytes& parsed);
  std::size_t begin_skip(std::uint32_t block_bytes, std::uint64_t offset, Bytes rest, ParsedBytes& parsed);
  std::size_t skip(Bytes rest, ParsedBytes& parsed);

  // Each returns false after it has named the damage in `parsed`.
  template <std::endian kOrder>
  bool add_interface(const Block& block, ParsedBytes& parsed);
  template <std::endian kOrder>
  bool read_packet(const Block& block, CaptureFrame& frame, ParsedBytes& parsed) const;
  template <std::endian kOrder>
  bool read_simple_packet(const Block& block, CaptureFrame& frame, ParsedBytes& parsed) const;

  template <class T>
  T load_ordered(const std::byte* from) const;

  std::vector<CaptureInterface> interfaces_;
  std::size_t section_interface_ = 0;  // index of the section's interface 0
  std::endian order_ = std::endian::little;

  // The block being skipped: how much of it is still to come, how long it is, where it began.
  std::uint32_t skip_bytes_ = 0;
  std::uint32_t skip_block_bytes_ = 0;
  std::uint64_t skip_offset_ = 0;
};

}  // namespace vif::net
