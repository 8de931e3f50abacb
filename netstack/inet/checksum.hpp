// SPDX-License-Identifier: BSD-2-Clause
// The Internet checksum (RFC 1071), also of the IPv6 pseudo-header's kind (RFC 8200, 8.1). Plain values, any thread.
#pragma once

#include <cstdint>

#include "netstack/inet/ip_address.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net::inet {

class VIF_API Checksum {
 public:
  // Goes on where the last piece ended, be that in the middle of a 16-bit word.
  void add(Bytes piece);
  // A packet's bytes from `offset` on, which it has.
  void add(const Mbuf& packet, std::size_t offset);
  // The pseudo-header of a transport of `bytes`. RFC 768 and RFC 8200, 8.1; the family is that of the addresses.
  void add_pseudo_header(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol, std::size_t bytes);

  // What the header's field holds, for store_be16; 0 over bytes that include a right checksum.
  std::uint16_t value() const;

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words as they lie in memory: the sum does not care for byte order
  bool odd_ = false;       // an odd number of bytes so far
};

// The checksum of one piece.
inline std::uint16_t checksum_of(Bytes bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

// `checksum` after a 16-bit word it covers changed (RFC 1624, equation 3).
VIF_API std::uint16_t checksum_after(std::uint16_t checksum, std::uint16_t before, std::uint16_t now);

}  // namespace vif::net::inet
