// SPDX-License-Identifier: BSD-2-Clause
// What one read from a tunnel's socket gave: a datagram, or several of equal length from one sender that the kernel has
// put together (UDP_GRO), taken apart one by one. Pure but for the kernel's types; one thread.
#pragma once

#include <sys/socket.h>

#include "netstack/base/bytes.hpp"

namespace vif::host {

// What the kernel says beside the bytes.
struct RxNotes {
  std::size_t segment_bytes = 0;  // of each datagram but the last, which may have fewer; 0: there is one
  std::uint32_t discarded = 0;    // datagrams the socket had no room for, since it was made; wraps
  bool has_discarded = false;

  static RxNotes read(const msghdr& message);
};

class RxTrain {
 public:
  RxTrain() = default;
  // A datagram without bytes is one, too.
  RxTrain(Bytes bytes, std::size_t segment_bytes)
      : left_(bytes), segment_bytes_(segment_bytes == 0 ? bytes.size() : segment_bytes), is_empty_(false) {}

  bool is_empty() const { return is_empty_; }
  std::size_t datagrams() const;
  // The next datagram; not of an empty train.
  Bytes take();

 private:
  Bytes left_;
  std::size_t segment_bytes_ = 0;
  bool is_empty_ = true;
};

}  // namespace vif::host
