// SPDX-License-Identifier: BSD-2-Clause
// What of two frames is compared, and where they differ. A plain value, any thread.
//
// Compared is everything but what is ignored, and but the padding of an IP or ARP packet, which hosts fill as they
// like. A checksum that covers something ignored cannot be expected to be the same: the frame that is received is then
// expected to have the right one, whatever was recorded, which may be from before the sender's NIC filled it in.
#pragma once

#include <string>
#include <vector>

#include "netstack/replay/frame_fields.hpp"

namespace vif::net {

enum class FrameRole : std::uint8_t { expected, received };

// A frame with zeros for what is ignored, without padding; its headers stay where they are.
struct MaskedFrame {
  std::vector<std::byte> bytes;
  FrameLayers layers;  // of the frame as it was
};

class VIF_API FrameMask {
 public:
  // "ip.ttl,tcp.seq,@34..38": fields by name, bytes from..behind. EINVAL says what was expected.
  static Result<FrameMask> parse(std::string_view text);

  void ignore(const FrameField& field) { fields_.push_back(&field); }
  void ignore(const FrameMask& other);  // also what that ignores
  void ignore(std::size_t from, std::size_t behind) { ranges_.push_back({from, behind}); }
  bool ignores(const FrameField& field) const;

  MaskedFrame masked(Bytes frame, FrameRole role) const;
  // The frame as it is compared: what is ignored and has no size of its own (data, options) is gone, too. Two frames
  // match when these are equal.
  std::vector<std::byte> compared(MaskedFrame masked) const;
  std::vector<std::byte> compared(Bytes frame, FrameRole role) const { return compared(masked(frame, role)); }

  // Whether this checksum of the frame has to be right rather than the same.
  bool has_to_be_right(const FrameField& checksum, const FrameLayers& layers, Bytes frame) const;

 private:
  struct Bytewise {
    std::size_t from, behind;
  };

  void settle_checksums(MaskedFrame& masked, Bytes frame, FrameRole role) const;
  bool covers_ignored(const FrameField& checksum, const FrameLayers& layers, Bytes frame) const;

  std::vector<const FrameField*> fields_;
  std::vector<Bytewise> ranges_;
};

// One line of two frames side by side.
struct FieldComparison {
  std::string name;                // of the field, or "@34" for a byte that belongs to none
  std::string expected, received;  // "-": that frame has none
  bool ignored = false, differs = false;
};

// The first way in which two frames differ under the mask; of no bytes when they match. `fields` is all of both, in
// order: for people.
struct FrameDifference {
  std::string first;  // "ip.ttl: expected 64, received 63"; a checksum's only where nothing else differs
  std::vector<FieldComparison> fields;
};
VIF_API FrameDifference difference_of(Bytes expected, Bytes received, const FrameMask& mask);

}  // namespace vif::net
