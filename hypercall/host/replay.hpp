// SPDX-License-Identifier: BSD-2-Clause
// The verb `replay`: sends a capture file through an interface and says what the interface passed up.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/host/instance.hpp"
#include "netstack/if_data.hpp"

namespace vif::host {

struct ReplayRequest {
  std::optional<net::MacAddress> lladdr = {};  // none: a generated one
  std::vector<net::MacAddress> join = {};      // groups
  bool allmulti = false;
  bool promisc = false;
  std::optional<std::uint32_t> mtu_bytes = {};  // none: frames of any length
  net::BpfProgram filter = {};                  // of what the interface passes, only this counts as passed

  // Takes each frame passed, borrowed for the call; an error ends the copying and is reported with the file.
  std::function<Status(const net::Mbuf& packet)> copy = {};
  // Hears now and then how many records were read so far.
  std::function<void(std::uint64_t frames)> progress = {};
};

struct ReplayReport {
  std::uint64_t frames = 0;  // records of the file = passed_frames + every drop of `data` below the protocols
  std::uint64_t passed_frames = 0, passed_bytes = 0;
  std::string passed_sha256;  // hex; over, for each frame passed, its length (4 bytes, big-endian) and its bytes
  net::IfData data{};
  std::string error;  // empty: the file was read whole, and copied
};

// Replays `path` through a new virt interface of `interfaces`, as fast as it can be read, polling the domain itself:
// time stands still meanwhile. A file that cannot be opened or is damaged is reported, with what came before. Errors:
// the request is refused (EINVAL) and nothing was read.
VIF_API Result<ReplayReport> replay(const ReplayRequest& request, const std::string& path,
                                    net::IfCloneTable& interfaces);

}  // namespace vif::host
