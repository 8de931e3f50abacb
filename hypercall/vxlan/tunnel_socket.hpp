// SPDX-License-Identifier: BSD-2-Clause
// The UDP socket of a tunnel: opened with what this kernel can do, shut to the wire until it is told otherwise. One
// thread; needs no rights for ports from 1024 on.
#pragma once

#include <cerrno>
#include <optional>

#include "hypercall/unique_fd.hpp"
#include "hypercall/vxlan/udp_address.hpp"

namespace vif::host {

class TunnelSocket {
 public:
  // Bound to `local`. Datagrams are never fragmented, and what ICMP says of them is kept in the error queue.
  // EADDRINUSE, EADDRNOTAVAIL, EACCES: with what to do about it; else the errno of socket(2) or setsockopt(2).
  static Result<TunnelSocket> open(const UdpAddress& local);

  // Whether an errno of sending or receiving means that it never will again.
  static bool is_unusable(int number) { return number == EBADF || number == ENOTSOCK || number == ENOSYS; }

  int fd() const { return socket_.get(); }
  bool has_segment() const { return segment_; }  // UDP_SEGMENT, since Linux 4.18
  bool has_gro() const { return gro_; }          // UDP_GRO, since Linux 5.0
  std::uint32_t receive_buffer_bytes() const;

  // While shut the kernel discards what arrives.
  Status let_in();
  void shut();

  // Datagrams discarded so far, for want of room or while shut; wraps. Nullopt: the kernel does not say.
  std::optional<std::uint32_t> discarded() const;

  // Takes at most `reports_max` reports off the error queue.
  struct Reports {
    std::size_t unreachable = 0;  // ICMP: a datagram did not get there
    bool too_big = false;         // the way has become narrower
    bool more = false;
  };
  Reports read_reports(std::size_t reports_max);

 private:
  explicit TunnelSocket(UniqueFd socket) : socket_(std::move(socket)) {}

  Status prepare(sa_family_t family);
  Status bind_to(const UdpAddress& local);
  bool set(int level, int name, int value);
  void enlarge_buffers();
  bool read_report(Reports& reports);

  UniqueFd socket_;
  bool segment_ = false;
  bool gro_ = false;
};

}  // namespace vif::host
