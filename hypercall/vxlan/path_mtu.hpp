// SPDX-License-Identifier: BSD-2-Clause
// How large a datagram gets through to the remotes unfragmented, as far as this host knows (routes, interfaces, and
// what ICMP has said), and so how large a frame fits into one. One thread.
#pragma once

#include "hypercall/unique_fd.hpp"
#include "hypercall/vxlan/remotes.hpp"

namespace vif::host {

// The largest frame whose datagram an MTU of `path_mtu_bytes` lets pass, Ethernet header included; at least 64.
std::uint32_t frame_bytes_within(std::uint32_t path_mtu_bytes, bool v6);

class PathMtu {
 public:
  static constexpr std::uint32_t kUnknown = 1500;  // of Ethernet, while there is no way

  // Sends nothing: connects a socket of its own to each remote and asks. Errors: socket(2)'s, or bind(2)'s.
  static Result<PathMtu> open(const UdpAddress& local);

  // The smallest of the ways there are; kUnknown without any.
  std::uint32_t ask(const Remotes& remotes) const;
  bool is_v6() const { return v6_; }

 private:
  PathMtu(UniqueFd socket, bool v6) : socket_(std::move(socket)), v6_(v6) {}

  UniqueFd socket_;
  bool v6_;
};

}  // namespace vif::host
