// SPDX-License-Identifier: BSD-2-Clause
// Cuts a super-frame into the frames that go on a wire, as a network card would: for whoever cannot pass one on.
//
// Nothing in the frame is believed: one whose headers do not say the same as its Offload is refused whole. The headers
// of a segment are written to the caller's bytes; its payload stays in the super-frame, which outlives the Segmenter's
// use of it and is not changed. Nothing is allocated.
#pragma once

#include <array>

#include "netstack/mbuf_cursor.hpp"

namespace vif::net {

class VIF_API Segmenter {
 public:
  // Ethernet, two tags, the longest IPv4 and TCP headers; or IPv6 with 62 bytes of extension headers.
  static constexpr std::size_t kHeaderBytesMax = 184;
  // What an IP length field can say, behind an Ethernet header with two tags.
  static constexpr std::size_t kSegmentBytesMax = 65'535 + 22;
  // 64 KiB in segments of 16 bytes; more is an attack on whoever has to send them.
  static constexpr std::size_t kSegmentsMax = 4096;

  struct Segment {
    std::size_t header_bytes;
    MbufCursor payload;  // of the super-frame
    std::size_t payload_bytes;

    std::size_t bytes() const { return header_bytes + payload_bytes; }
  };

  // Takes TCP over IPv4 or IPv6 and UDP over either, behind at most two tags in the bytes, with IPv4 options and the
  // IPv6 headers that every fragment could carry; RFC 2675's jumbo option, which stands for a length above 65535, is
  // left out of the segments. False: anything else, or malformed.
  bool open(const Mbuf& frame);

  std::size_t segments() const { return segments_; }
  std::size_t segment_bytes_max() const { return header_bytes_ + std::min(segment_payload_bytes_, payload_bytes_); }
  std::uint16_t ether_type() const { return load_be16(header_.data() + kTypeAt); }  // 802.1Q or 802.1ad when tagged
  bool done() const { return next_ == segments_; }

  // These only while not done(). next() writes the headers to the front of `header`, which has kHeaderBytesMax, and
  // moves on.
  Segment peek() const;
  Segment next(MutBytes header);

 private:
  static constexpr std::size_t kTypeAt = 12;

  bool read_network(std::size_t present);
  bool read_ipv4(std::size_t present);
  bool read_ipv6(std::size_t present);
  bool read_transport(std::size_t present);
  void drop_jumbo_option();
  void finish_network(MutBytes header, std::size_t network_bytes) const;
  void finish_transport(MutBytes header, const Segment& segment);

  Offload offload_;
  std::array<std::byte, kHeaderBytesMax> header_;  // of the next segment, but for lengths and checksums
  std::uint32_t frame_bytes_ = 0;
  std::size_t network_at_ = 0, transport_at_ = 0, header_bytes_ = 0;  // in header_
  std::size_t payload_bytes_ = 0, segment_payload_bytes_ = 0;         // of all, of one
  std::uint16_t pseudo_sum_ = 0;                                      // of the pseudo-header, without its length
  std::uint8_t last_flags_ = 0;                                       // of TCP that only the last segment may have
  bool is_tcp_ = false, is_ipv4_ = false, has_jumbo_option_ = false;
  std::size_t segments_ = 0, next_ = 0;
  MbufCursor payload_;
};

}  // namespace vif::net
