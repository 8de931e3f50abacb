// SPDX-License-Identifier: BSD-2-Clause
// Where a capture listens to an interface: BSD's bpf_if and its listeners.
//
// Each interface has one BpfTaps, used on its domain's thread only. It owns the listeners' programs and counters and
// borrows their sinks, which outlive their attachment. Source: NetBSD bpf(4), bpf(9); BIOCSDIRECTION.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/bpf_program.hpp"

namespace vif::net {

enum class BpfDirection : std::uint8_t { in, out };         // of a frame
enum class BpfDirections : std::uint8_t { in, out, both };  // a listener wants

class BpfSink {
 public:
  virtual ~BpfSink() = default;

  // One frame that matched, borrowed for the call. `keep_bytes`: how much of it the listener's filter wants, at most
  // the frame's bytes as on the wire (bpf_frame_bytes: a tag kept in pkthdr counts 4). May attach, detach anyone
  // (itself included) and replace programs; may not destroy the BpfTaps.
  virtual void tap(const Mbuf& packet, BpfDirection direction, std::uint32_t keep_bytes) noexcept = 0;
};

struct BpfStats {
  std::uint64_t seen = 0;     // frames in the wanted direction
  std::uint64_t matched = 0;  // of these, how many the program kept
};

class VIF_API BpfTaps {
 public:
  using Id = std::uint64_t;  // never used twice

  BpfTaps() = default;
  ~BpfTaps();  // not from inside a tap
  BpfTaps(const BpfTaps&) = delete;
  BpfTaps& operator=(const BpfTaps&) = delete;

  // Listens from the next frame on.
  Id attach(BpfSink& sink, BpfProgram program, BpfDirections directions);

  // These take the id of an attached listener. After detach its sink is not called again, not even for the frame
  // being shown right now. A new program begins with counters at 0, as BIOCSETF does.
  void detach(Id id);
  void set_program(Id id, BpfProgram program);
  BpfStats stats(Id id) const;

  // Shows a frame to the listeners, in the order they attached. One test when there is none; never allocates.
  void mtap(const Mbuf& packet, BpfDirection direction) {
    if (!listeners_.empty()) [[unlikely]]
      show(packet, direction);
  }

 private:
  struct Listener {
    Id id;
    BpfSink* sink;  // null: detached, and removed once nobody walks the list
    BpfProgram program;
    BpfDirections directions;
    BpfStats stats;
  };

  void show(const Mbuf& packet, BpfDirection direction);
  Listener& find(Id id) const;
  void remove_detached();

  std::vector<std::unique_ptr<Listener>> listeners_;  // stay in place while a tap attaches another
  Id last_id_ = 0;
  bool detached_ = false;      // one of them waits to be removed
  std::uint32_t walking_ = 0;  // calls of show() under way: a tap may send a frame, which is tapped in turn
};

}  // namespace vif::net
