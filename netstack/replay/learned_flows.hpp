// SPDX-License-Identifier: BSD-2-Clause
// What a stack chooses anew each time, its ports and its initial sequence numbers, learned from the first frame of each
// flow: so that a recording of another time can be played against it. What it sends is put into the recording's terms,
// what it is sent into its own; checksums follow. On the domain's thread.
//
// A flow is what has the same addresses, protocol and ports. The first frame that a stack sends in one is taken for
// the first that was recorded in it; with ports learned, for the first of the recorded flows between the same addresses
// and to the same port that is still to come. Packets quoted in ICMP errors stay as they are.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "netstack/base/result.hpp"
#include "netstack/replay/frame_flow.hpp"
#include "netstack/replay/scratch.hpp"

namespace vif::net {

class VIF_API LearnedFlows {
 public:
  struct Wanted {
    bool sequence = false, tcp_port = false, udp_port = false;
    bool any() const { return sequence || tcp_port || udp_port; }
  };
  // "tcp.seq,tcp.srcport,udp.srcport": any of them. EINVAL says what was expected.
  static Result<Wanted> parse(std::string_view fields);

  explicit LearnedFlows(const Wanted& wanted) : wanted_(wanted) {}

  // A frame that the stack sent when it was recorded; all of them, in order, before the others are asked.
  void add(Bytes recorded);

  // A frame that the stack sends now, as it would have been recorded: itself, or in `scratch`.
  Bytes as_recorded(Bytes frame, Scratch& scratch);
  // A frame of the recording, as the stack has to get it: itself, or in `scratch`.
  Bytes as_live(Bytes frame, Scratch& scratch) const;

 private:
  struct Flow {
    std::uint16_t port;      // the stack's, as recorded
    std::uint32_t sequence;  // of the first frame; 0 in UDP
    // Once it has begun:
    bool live = false;
    std::uint16_t live_port = 0;
    std::uint32_t ahead = 0;  // so much larger than recorded are its sequence numbers now

    bool is_as_recorded() const { return live_port == port && ahead == 0; }
  };
  // Flows that the same first frame may begin, in the order they were recorded.
  struct Waiting {
    std::vector<std::size_t> flows;
    std::size_t next = 0;  // what is before it has begun
  };
  template <typename Value>
  using ByFlow = std::unordered_map<FrameFlow, Value, FrameFlowHash>;  // as the stack sends it

  bool learns(const FrameLayers& layers) const;
  bool learns_port(const FrameLayers& layers) const;
  FrameFlow before_it_begins(FrameFlow flow, const FrameLayers& layers) const;
  Flow* begun(const FrameFlow& seen, const FrameLayers& layers, Bytes frame);

  Wanted wanted_;
  std::vector<Flow> flows_;
  ByFlow<std::size_t> recorded_, live_;  // in flows_
  ByFlow<Waiting> waiting_;
};

}  // namespace vif::net
