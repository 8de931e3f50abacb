// SPDX-License-Identifier: BSD-2-Clause
// What a client asks of the process connector: an operation in 4 bytes, with a mask in 8, with an exit code in 12
// (proc_input of Linux before 6.6, of 6.6, and of the thread exit series), and behind those a client of ours its
// wishes. The only reader and writer of them. Values; any thread.
#pragma once

#include <vector>

#include "services/connector/extension.hpp"
#include "services/connector/message.hpp"

namespace vif::cn {

enum class Op : std::uint32_t {
  listen = 1,  // PROC_CN_MCAST_LISTEN
  ignore = 2,  // PROC_CN_MCAST_IGNORE
  notify = 3,  // PROC_CN_MCAST_NOTIFY of the series, which no kernel has
  resync = 4,  // ours: all that live now, then what follows
};

// Of a notify, where a listen has its mask; the series left that word unused.
inline constexpr std::uint32_t kNotifyWithdraws = 0x1;  // takes back what was registered

struct Request {
  Op op = Op::listen;  // perhaps one nobody knows
  Mask mask = kMaskAll;
  std::uint32_t notify_flags = 0, code = 0;  // of 12 bytes and more
  std::int32_t tid = 0;                      // of 16 and more: notify for this thread of the sender's; 0: for itself
  Wishes wishes = {};                        // behind the 16
  std::size_t payload_bytes = 0;             // as it came
};

inline constexpr std::size_t kRequestBytesMax = 16 + kWishesBytesMax;

// nullopt: fewer than 4 bytes, or 5 to 7, or 9 to 11. Linux takes 4 and 8 and nothing else.
VIF_API std::optional<Request> read_request(Bytes payload);
// As few bytes as say it: 4 for all events, 8 for a mask, 12 for a notify, more with a tid or wishes.
VIF_API std::vector<std::byte> write_request(const Request& request);

// What Linux makes of a client's mask: bits it does not know are left out, and nothing means everything.
constexpr Mask effective_mask(Mask asked) { return (asked & kMaskAll) != 0 ? asked & kMaskAll : kMaskAll; }

// Whether a mask lets an event through (cn_filter). Of an acknowledgement: the full mask alone does.
constexpr bool lets_through(Mask mask, const ProcEvent& event) {
  if (mask == kMaskAll) return true;
  if (event.what == What::exit && (mask & bit(What::nonzero_exit)) != 0 && event.exit_code != 0) return true;
  return (mask & bit(event.what)) != 0;
}

}  // namespace vif::cn
