// SPDX-License-Identifier: BSD-2-Clause
// Whether a packet filter wants a frame that is no packet yet. One thread at a time.
#pragma once

#include <vector>

#include "netstack/bpf_program.hpp"
#include "netstack/mbuf_pool.hpp"

namespace vif::net {

class FrameSelector {
 public:
  // The empty program wants every frame.
  explicit FrameSelector(BpfProgram program)
      : program_(std::move(program)), pool_({.counts = {0, 0, 0, 0}, .external = 1}) {}

  bool wants(Bytes frame) {
    if (program_.insns().empty()) return true;
    copy_.assign(frame.begin(), frame.end());
    const MbufPtr packet = pool_.attach_external(
        copy_, [](void*, MutBytes) {}, nullptr);
    return packet && bpf_filter(program_, *packet) != 0;
  }

 private:
  BpfProgram program_;
  MbufPool pool_;
  std::vector<std::byte> copy_;
};

}  // namespace vif::net
