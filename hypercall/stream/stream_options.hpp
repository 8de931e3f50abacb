// SPDX-License-Identifier: BSD-2-Clause
// What a stream: link string asks for:
//
//   stream:PATH[,listen | ,reconnect][,framing=qemu|bess|dgram|vde][,local=PATH]
//   stream:fd=N[,framing=...]
#pragma once

#include <cstddef>
#include <string>

#include "virtif/linkstr.hpp"

namespace vif::host {

struct StreamOptions {
  std::string path;
  int fd = -1;                   // of a connected socket, instead of the path
  int socket_type = 0;           // SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM
  std::size_t header_bytes = 0;  // before each frame in a stream; 0: one frame a packet
  std::string local;             // SOCK_DGRAM: our own end's path
  bool listen = false;
  bool reconnect = false;

  // EINVAL: the text says what is expected.
  static Result<StreamOptions> parse(const drv::Linkstr& linkstr);

  // For messages: the path, or "descriptor 3".
  std::string where() const;
  // For OpenLink::chosen: "connects to /run/x.sock, 4-byte lengths in a stream".
  std::string describe() const;
};

}  // namespace vif::host
