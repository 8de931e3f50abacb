// SPDX-License-Identifier: BSD-2-Clause
// --from: capsules from a network, by our own stacks on any link. What a server sends is kept in a file of no name
// ($TMPDIR, or else beside the medium), at most as much as the medium holds, and is then read as any capsule. One
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/fetch/spool.hpp"
#include "hypercall/fetch/url.hpp"
#include "netstack/inet/ip_address.hpp"
#include "tools/virtifctl/fwu/fwu_narrator.hpp"
#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {

class FwuNetwork;

struct FwuFetched {
  std::string name;  // the last part of the URL
  std::unique_ptr<host::Spool> spool;
};

// Whether the words about the network go together. EINVAL: they do not.
Status fwu_check_fetch(const FwuOptions& options);

// All of options.from, which have been checked. Errors: EINTR a signal came; else what ended the transfer.
Result<std::vector<FwuFetched>> fwu_fetch(const FwuOptions& options);

// One transfer.
struct FwuTransfer {
  FwuNetwork& network;
  const host::Url& url;
  host::Spool& spool;
  std::uint64_t bytes_max;
  FwuNarrator& narrator;

  // The next bytes; `total`: of the file, where the server says. Errors: the host's.
  Status take(Bytes bytes, std::optional<std::uint64_t> total);
};
inline constexpr Time kFwuPatience = std::chrono::seconds(30);  // without anything new
Status fwu_fetch_tftp(FwuTransfer transfer);
// ENOTSUP: built without lwIP.
Status fwu_fetch_http(FwuTransfer transfer);

}  // namespace vif::tools
