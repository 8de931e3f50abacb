// SPDX-License-Identifier: BSD-2-Clause
// Which side of a device under test sent a recorded frame: the clients' or the servers'. A value that is asked of every
// frame in order; one thread at a time.
//
// What the rule says nothing of (no IP address, no ports, a later fragment) goes with what was first said of its two
// hosts; when that is nothing, its sender is a client. Of the hosts and flows seen, the latest are kept.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "netstack/base/result.hpp"
#include "netstack/replay/frame_flow.hpp"

namespace vif::net {

enum class ReplaySide : std::uint8_t { clients, servers, kCount };
inline constexpr std::size_t kReplaySides = static_cast<std::size_t>(ReplaySide::kCount);
constexpr std::size_t index_of(ReplaySide side) { return static_cast<std::size_t>(side); }
constexpr ReplaySide other_side(ReplaySide side) {
  return side == ReplaySide::clients ? ReplaySide::servers : ReplaySide::clients;
}

class VIF_API FrameSplitter {
 public:
  static constexpr std::size_t kFlowsKept = 65'536;  // at least; at most twice as many

  // "net=192.0.2.0/24,2001:db8::/32": clients have these addresses. "port" or "port=8080,8443": servers have these
  // ports, or else one below 1024, or else the lower one. "iface=0,2": clients' frames are of these interfaces of a
  // pcapng. "first": whoever sends first in a flow is its client. EINVAL says what was expected.
  static Result<FrameSplitter> parse(std::string_view rule);

  // `interface`: its capture's, as CaptureFrame::interface.
  ReplaySide side_of(Bytes frame, std::uint32_t interface);
  // The captures begin anew.
  void restart();

 private:
  enum class Kind : std::uint8_t { net, port, iface, first };
  using Seen = std::unordered_map<FrameFlow, bool, FrameFlowHash>;  // either way: whether its source is the client

  explicit FrameSplitter(Kind kind) : kind_(kind) {}
  Status parse_values(std::string_view values, std::string_view rule);
  std::optional<ReplaySide> by_rule(const FrameFlow& flow, std::uint32_t interface);
  std::optional<ReplaySide> by_port(const FrameFlow& flow) const;
  std::optional<ReplaySide> known(const FrameFlow& flow);
  void remember(const FrameFlow& flow, ReplaySide side);

  Kind kind_;
  std::vector<inet::IpPrefix> nets_;
  std::vector<std::uint32_t> numbers_;  // ports, or interfaces
  Seen now_, before_;                   // when the one is full it becomes the other
};

}  // namespace vif::net
