// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/learned_flows.hpp"

#include <algorithm>
#include <utility>

#include "netstack/replay/summed_frame.hpp"

namespace vif::net {
namespace {

using Transport = FrameLayers::Transport;

constexpr std::size_t kSeqAt = 4, kAckAt = 8, kFlagsAt = 13;  // RFC 9293, 3.1
constexpr std::byte kAckFlag{0x10};
constexpr std::uint8_t kOptionsEnd = 0, kOptionNothing = 1, kOptionSack = 5;  // RFC 9293, 3.1; RFC 2018, 3

void add32(SummedFrame& summed, Bytes frame, std::size_t at, std::uint32_t more) {
  const std::uint32_t value = load_be32(frame.data() + at) + more;
  summed.put16(at, static_cast<std::uint16_t>(value >> 16));
  summed.put16(at + 2, static_cast<std::uint16_t>(value));
}

// The edges of selective acknowledgements. At an odd place, where nobody puts them, they stay as they are.
void add_to_sack(SummedFrame& summed, Bytes frame, std::uint32_t more) {
  const FrameLayers& layers = summed.layers();
  for (std::size_t at = layers.transport_at + FrameLayers::kTcpBytes; at + 1 < layers.payload_at;) {
    const auto kind = std::to_integer<std::uint8_t>(frame[at]);
    if (kind == kOptionsEnd) return;
    if (kind == kOptionNothing) {
      ++at;
      continue;
    }
    const auto bytes = std::to_integer<std::size_t>(frame[at + 1]);
    if (bytes < 2 || at + bytes > layers.payload_at) return;
    const bool is_even = (at - layers.transport_at) % 2 == 0;
    for (std::size_t edge = at + 2; kind == kOptionSack && is_even && edge + 4 <= at + bytes; edge += 4) {
      add32(summed, frame, edge, more);
    }
    at += bytes;
  }
}

std::uint32_t sequence_of(Bytes frame, const FrameLayers& layers) {
  return layers.transport == Transport::tcp ? load_be32(frame.data() + layers.transport_at + kSeqAt) : 0;
}

}  // namespace

Result<LearnedFlows::Wanted> LearnedFlows::parse(std::string_view fields) {
  Wanted wanted;
  while (!fields.empty()) {
    const std::size_t comma = std::min(fields.find(','), fields.size());
    const std::string_view field = fields.substr(0, comma);
    fields.remove_prefix(std::min(comma + 1, fields.size()));
    if (field == "tcp.seq") wanted.sequence = true;
    else if (field == "tcp.srcport") wanted.tcp_port = true;
    else if (field == "udp.srcport") wanted.udp_port = true;
    else {
      return fail(std::errc::invalid_argument, "'" + std::string(field) +
                                                   "' cannot be learned: expected tcp.seq, tcp.srcport or udp.srcport, "
                                                   "with commas in between");
    }
  }
  return wanted;
}

// What nothing is learned of is never looked up.
bool LearnedFlows::learns(const FrameLayers& layers) const {
  if (layers.is_fragment) return false;
  if (layers.transport == Transport::tcp) return wanted_.sequence || wanted_.tcp_port;
  return layers.transport == Transport::udp && wanted_.udp_port;
}

bool LearnedFlows::learns_port(const FrameLayers& layers) const {
  return layers.transport == Transport::tcp ? wanted_.tcp_port : wanted_.udp_port;
}

FrameFlow LearnedFlows::before_it_begins(FrameFlow flow, const FrameLayers& layers) const {
  if (learns_port(layers)) flow.source.port = 0;  // any
  return flow;
}

void LearnedFlows::add(Bytes recorded) {
  const FrameLayers layers = FrameLayers::of(recorded);
  if (!learns(layers)) return;
  const FrameFlow flow = FrameFlow::of(recorded);
  if (!recorded_.try_emplace(flow, flows_.size()).second) return;
  waiting_[before_it_begins(flow, layers)].flows.push_back(flows_.size());
  flows_.push_back({.port = flow.source.port, .sequence = sequence_of(recorded, layers)});
}

LearnedFlows::Flow* LearnedFlows::begun(const FrameFlow& seen, const FrameLayers& layers, Bytes frame) {
  if (const auto known = live_.find(seen); known != live_.end()) return &flows_[known->second];
  const auto waiting = waiting_.find(before_it_begins(seen, layers));
  if (waiting == waiting_.end() || waiting->second.next == waiting->second.flows.size()) return nullptr;
  const std::size_t at = waiting->second.flows[waiting->second.next++];
  live_.emplace(seen, at);
  Flow& flow = flows_[at];
  flow.live = true;
  flow.live_port = seen.source.port;
  if (wanted_.sequence) flow.ahead = sequence_of(frame, layers) - flow.sequence;
  return &flow;
}

Bytes LearnedFlows::as_recorded(Bytes frame, Scratch& scratch) {
  const FrameLayers layers = FrameLayers::of(frame);
  const Flow* const flow = learns(layers) ? begun(FrameFlow::of(frame), layers, frame) : nullptr;
  if (flow == nullptr || flow->is_as_recorded()) return frame;
  const MutBytes changed = scratch.copy(frame);
  SummedFrame summed(changed);
  summed.put16(layers.transport_at, flow->port);
  if (layers.transport == Transport::tcp) add32(summed, changed, layers.transport_at + kSeqAt, 0 - flow->ahead);
  return changed;
}

Bytes LearnedFlows::as_live(Bytes frame, Scratch& scratch) const {
  const FrameLayers layers = FrameLayers::of(frame);
  if (!learns(layers)) return frame;
  FrameFlow meant = FrameFlow::of(frame);
  std::swap(meant.source, meant.destination);
  const auto known = recorded_.find(meant);
  if (known == recorded_.end()) return frame;
  const Flow& flow = flows_[known->second];
  if (!flow.live || flow.is_as_recorded()) return frame;
  const MutBytes changed = scratch.copy(frame);
  SummedFrame summed(changed);
  summed.put16(layers.transport_at + 2, flow.live_port);
  const bool acknowledges =
      layers.transport == Transport::tcp && (frame[layers.transport_at + kFlagsAt] & kAckFlag) != std::byte{0};
  if (acknowledges) {
    add32(summed, changed, layers.transport_at + kAckAt, flow.ahead);
    add_to_sack(summed, changed, flow.ahead);
  }
  return changed;
}

}  // namespace vif::net
