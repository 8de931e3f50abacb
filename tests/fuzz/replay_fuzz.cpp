// SPDX-License-Identifier: BSD-2-Clause
// Text and frames from outside, for the replay: masks, speeds and times as people write them, then any bytes as the
// frames that are compared, expected, learned from and cut. Nothing may be read out of bounds, and a frame always
// equals itself, and is of the side it was of.
#include <algorithm>
#include <cassert>
#include <string_view>

#include "netstack/checksum.hpp"
#include "netstack/replay/expectation.hpp"
#include "netstack/replay/frame_fitter.hpp"
#include "netstack/replay/frame_rewriter.hpp"
#include "netstack/replay/frame_splitter.hpp"
#include "netstack/replay/learned_flows.hpp"
#include "netstack/replay/replay_plan.hpp"

using namespace vif;
using namespace vif::net;

namespace {

// Neighbor Discovery of any options, rewritten: its sum is as right, or as wrong, as it was.
void rewrite_neighbours(Bytes message) {
  constexpr std::size_t kHeaders = 14 + 40, kBytesMax = 2000;
  static const FrameRewriter rewriter =
      *FrameRewriter::parse("mac:00:00:00:00:00:00=02:00:00:00:00:01,ip:::/1=8000::/1");
  if (message.size() < 4) return;
  message = message.first(std::min(message.size(), kBytesMax));
  std::vector<std::byte> frame(kHeaders);
  store_be16(frame.data() + 12, 0x86dd);
  frame[14] = std::byte{0x60};
  store_be16(frame.data() + 18, static_cast<std::uint16_t>(message.size()));
  frame[20] = std::byte{58};
  frame.insert(frame.end(), message.begin(), message.end());
  frame[kHeaders] = static_cast<std::byte>(133 + std::to_integer<unsigned>(frame[kHeaders]) % 5);
  const auto sum_of = [&](Bytes whole) {
    InternetSum sum;
    sum.add(whole.subspan(22));
    return sum.folded() % 0xffff;
  };
  static Scratch scratch;
  scratch.clear();
  if (sum_of(frame) != sum_of(rewriter.rewrite(frame, scratch))) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto* const nothing = std::find(input.begin(), input.end(), std::byte{0}).base();
  const std::string_view text(reinterpret_cast<const char*>(data), static_cast<std::size_t>(nothing - input.data()));
  const Bytes rest = input.subspan(std::min(input.size(), text.size() + 1));
  (void)parse_replay_speed(text);
  (void)parse_replay_time(text);
  Result<FrameMask> mask = FrameMask::parse(text);
  if (!mask) mask = FrameMask();

  const Bytes one = rest.first(rest.size() / 2), other = rest.subspan(rest.size() / 2);
  for (const Bytes received : {one, other}) {
    const bool same = mask->compared(one, FrameRole::expected) == mask->compared(received, FrameRole::received);
    if (difference_of(one, received, *mask).first.empty() != same) __builtin_trap();
  }
  for (const ExpectOrder order : {ExpectOrder::ordered, ExpectOrder::unordered, ExpectOrder::per_flow}) {
    Expectation expectation({.mask = *mask, .order = order},
                            {{{one.begin(), one.end()}}, {{rest.begin(), rest.end()}}});
    (void)expectation.received(one, Time(0));
    (void)expectation.received(other, Time(1));
    (void)expectation.finish();
  }

  static MbufPool pool({.counts = {1, 1, 1, 1}, .external = 4});
  static Scratch scratch;
  scratch.clear();
  std::vector<Bytes> wire;
  const std::uint32_t mtu_bytes = 46 + static_cast<std::uint32_t>(text.size());
  FrameFitter fitter({.mtu_bytes = mtu_bytes, .oversize = ReplayOversize::split}, pool);
  if (const Result<FrameRewriter> rewriter = FrameRewriter::parse(text)) (void)rewriter->rewrite(rest, scratch);
  rewrite_neighbours(rest);
  Result<FrameSplitter> splitter = FrameSplitter::parse(text);
  if (!splitter) splitter = FrameSplitter::parse("first");
  for (const Bytes frame : {one, other, rest, one}) {
    const ReplaySide side = splitter->side_of(frame, 0);
    if (splitter->side_of(frame, 0) != side) __builtin_trap();
  }
  (void)LearnedFlows::parse(text);
  LearnedFlows flows({.sequence = true, .tcp_port = true, .udp_port = true});
  flows.add(one);
  (void)flows.as_recorded(other, scratch);
  (void)flows.as_live(rest, scratch);
  (void)fitter.fit({.bytes = rest, .link_type = kLinkTypeEthernet}, scratch, wire);
  return 0;
}
