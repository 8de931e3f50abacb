// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/learned_flows.hpp"

#include <algorithm>

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

std::optional<LearnedFlows::Flow> LearnedFlows::flow_of(const FrameLayers& layers, Bytes frame, Sender sender) {
  const bool has_ports = layers.transport == Transport::tcp || layers.transport == Transport::udp;
  if (!has_ports || layers.is_fragment) return std::nullopt;
  const bool is_ipv4 = layers.network == FrameLayers::Network::ipv4;
  const std::size_t at = layers.network_at + (is_ipv4 ? 12 : 8), bytes = is_ipv4 ? 4 : 16;
  Flow flow{.network = layers.network,
            .transport = layers.transport,
            .near = {},
            .far = {},
            .near_port = 0,
            .far_port = 0,
            .sequence = 0};
  const bool from_stack = sender == Sender::stack;
  std::copy_n(frame.data() + at, bytes, (from_stack ? flow.near : flow.far).begin());
  std::copy_n(frame.data() + at + bytes, bytes, (from_stack ? flow.far : flow.near).begin());
  const std::byte* const ports = frame.data() + layers.transport_at;
  flow.near_port = load_be16(ports + (from_stack ? 0 : 2));
  flow.far_port = load_be16(ports + (from_stack ? 2 : 0));
  if (layers.transport == Transport::tcp) flow.sequence = load_be32(ports + kSeqAt);
  return flow;
}

void LearnedFlows::add(Bytes recorded) {
  const std::optional<Flow> flow = flow_of(FrameLayers::of(recorded), recorded, Sender::stack);
  if (!flow) return;
  const bool known = std::any_of(flows_.begin(), flows_.end(), [&](const Flow& other) {
    return other.between_same(*flow) && other.near_port == flow->near_port;
  });
  if (!known) flows_.push_back(*flow);
}

LearnedFlows::Flow* LearnedFlows::begun(const Flow& seen) {
  for (Flow& flow : flows_) {
    if (flow.live && flow.between_same(seen) && flow.live_port == seen.near_port) return &flow;
  }
  for (Flow& flow : flows_) {
    if (flow.live || !flow.between_same(seen) || (!learns_port(flow) && flow.near_port != seen.near_port)) continue;
    flow.live = true;
    flow.live_port = seen.near_port;
    if (wanted_.sequence) flow.ahead = seen.sequence - flow.sequence;
    return &flow;
  }
  return nullptr;
}

Bytes LearnedFlows::as_recorded(Bytes frame, Scratch& scratch) {
  const FrameLayers layers = FrameLayers::of(frame);
  const std::optional<Flow> seen = flow_of(layers, frame, Sender::stack);
  const Flow* const flow = seen ? begun(*seen) : nullptr;
  if (flow == nullptr || (flow->live_port == flow->near_port && flow->ahead == 0)) return frame;
  const MutBytes changed = scratch.copy(frame);
  SummedFrame summed(changed);
  summed.put16(layers.transport_at, flow->near_port);
  if (layers.transport == Transport::tcp) add32(summed, changed, layers.transport_at + kSeqAt, 0 - flow->ahead);
  return changed;
}

Bytes LearnedFlows::as_live(Bytes frame, Scratch& scratch) const {
  const FrameLayers layers = FrameLayers::of(frame);
  const std::optional<Flow> meant = flow_of(layers, frame, Sender::peer);
  if (!meant) return frame;
  const auto flow = std::find_if(flows_.begin(), flows_.end(), [&](const Flow& one) {
    return one.live && one.between_same(*meant) && one.near_port == meant->near_port;
  });
  if (flow == flows_.end() || (flow->live_port == flow->near_port && flow->ahead == 0)) return frame;
  const MutBytes changed = scratch.copy(frame);
  SummedFrame summed(changed);
  summed.put16(layers.transport_at + 2, flow->live_port);
  const bool acknowledges =
      layers.transport == Transport::tcp && (frame[layers.transport_at + kFlagsAt] & kAckFlag) != std::byte{0};
  if (acknowledges) {
    add32(summed, changed, layers.transport_at + kAckAt, flow->ahead);
    add_to_sack(summed, changed, flow->ahead);
  }
  return changed;
}

}  // namespace vif::net
