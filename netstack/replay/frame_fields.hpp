// SPDX-License-Identifier: BSD-2-Clause
// The fields of a frame by the names people know from Wireshark: one table for what is ignored in a comparison and for
// what is shown of it. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "netstack/base/result.hpp"
#include "netstack/replay/frame_layers.hpp"

namespace vif::net {

enum class FieldPart : std::uint8_t { ethernet, tag, arp, ipv4, ipv6, tcp, udp, icmp4, icmp6, data, padding };
enum class FieldForm : std::uint8_t { number, words, hex, mac, address, bytes };  // words: shown as bytes, 4 each

struct FrameField {
  std::string_view name;  // "ip.ttl"
  FieldPart part;
  std::uint16_t at_bit;  // from the part's first bit
  std::uint16_t bits;    // 0: to the part's end
  FieldForm form;
};

// In the order of a frame.
VIF_API std::span<const FrameField> frame_fields();
// EINVAL: no field is called so; the text says what they are called.
VIF_API Result<const FrameField*> find_frame_field(std::string_view name);

// Where a field is in a frame.
struct FieldPlace {
  std::size_t at_bit, bits;
};
// None: the frame has no such field, or it is empty.
VIF_API std::optional<FieldPlace> place_of(const FrameField& field, const FrameLayers& layers, Bytes frame);

// Of at most 64 bits that lie inside the frame.
VIF_API std::uint64_t field_value(const FieldPlace& place, Bytes frame);
// As people read it: 64, 0x0012, 02:00:00:00:00:01, 192.0.2.1, "8 bytes: 61 62 ...".
VIF_API std::string field_text(const FrameField& field, const FieldPlace& place, Bytes frame);

}  // namespace vif::net
