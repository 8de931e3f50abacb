// SPDX-License-Identifier: BSD-2-Clause
// Makes of a recorded frame what the wire can carry: as it is, shortened, in several frames; or says why it is not
// sent.
//
// On the thread of the domain whose pool it uses. What it makes lies in the caller's Scratch, or is the record itself.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/capture/capture.hpp"
#include "netstack/mbuf_pool.hpp"
#include "netstack/replay/scratch.hpp"

namespace vif::net {

// Why a recorded frame is not sent, in the order they are asked.
enum class ReplayRefusal : std::uint8_t {
  wrong_link_type,  // not Ethernet
  cut_short,        // the capture holds only its beginning
  runt,             // fewer than the 14 bytes of an Ethernet header
  too_long,         // for the wire, and was not to be shortened or could not be split
  dont_fragment,    // likewise, and its sender forbade to split it
  kCount,
};
inline constexpr std::size_t kReplayRefusals = static_cast<std::size_t>(ReplayRefusal::kCount);
inline constexpr std::array<std::string_view, kReplayRefusals> kReplayRefusalNames = {
    "wrong_link_type", "cut_short", "runt", "too_long", "dont_fragment"};
constexpr std::string_view name(ReplayRefusal why) { return kReplayRefusalNames[static_cast<std::size_t>(why)]; }

enum class ReplayOversize : std::uint8_t {
  refuse,
  truncate,  // send its beginning: headers then promise more than there is
  split,     // TCP into segments, other IPv4 into fragments, as its sender's host would; the rest is refused
};

struct ReplayFit {
  std::uint32_t frame_bytes_max = kFrameBytesMax;  // of the link
  std::uint32_t mtu_bytes = kFrameBytesMax;        // frames above it + 14, + 4 with tags, are too long
  ReplayOversize oversize = ReplayOversize::refuse;
};

class VIF_API FrameFitter {
 public:
  enum class Change : std::uint8_t { none, truncated, split };

  FrameFitter(const ReplayFit& fit, MbufPool& pool) : fit_(fit), pool_(pool) {}

  // Appends what is to be sent to `wire`, or returns why nothing is. last_change() says what was done to it.
  std::optional<ReplayRefusal> fit(const CaptureFrame& record, Scratch& scratch, std::vector<Bytes>& wire);
  Change last_change() const { return change_; }

 private:
  std::optional<ReplayRefusal> split(Bytes frame, std::size_t bytes_max, Scratch& scratch, std::vector<Bytes>& wire);

  const ReplayFit fit_;
  MbufPool& pool_;
  Change change_ = Change::none;
};

}  // namespace vif::net
