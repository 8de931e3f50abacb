// SPDX-License-Identifier: BSD-2-Clause
// What an update tells of itself, event by event; nothing unless somebody attached a sink. Belongs to one update at a
// time, as its Device does; one thread.
#pragma once

#include <array>

#include "netstack/base/tracepoint.hpp"

namespace vif::fwu {

struct FwuTrace {
  using Text = std::string_view;

  // A capsule from a network. `error`: an errno, 0 is none, here and below.
  Tracepoint<"fetch_begin url", Text> fetch_begin;
  Tracepoint<"fetch_end url bytes sha256 error", Text, std::uint64_t, Text, std::int32_t> fetch_end;
  // A bank is written: how many images and bytes there are; each one once it was written; the end.
  Tracepoint<"update_begin bank images bytes", std::uint32_t, std::uint32_t, std::uint64_t> update_begin;
  Tracepoint<"image_written partition bytes", std::uint32_t, std::uint64_t> image_written;
  Tracepoint<"update_end bank error", std::uint32_t, std::int32_t> update_end;
  // A boot as firmware checks it. `trial`: which boot of a trial this is, 0 is none; `next`: the bank to boot.
  Tracepoint<"boot_checked bank trial next", std::uint32_t, std::uint32_t, std::uint32_t> boot_checked;
  Tracepoint<"image_accepted bank type", std::uint32_t, Text> image_accepted;
  Tracepoint<"bank_accepted bank", std::uint32_t> bank_accepted;
  Tracepoint<"bank_reverted bank next", std::uint32_t, std::uint32_t> bank_reverted;

  std::array<AnyTracepoint*, 9> all() {
    return {&fetch_begin,  &fetch_end,      &update_begin,  &image_written, &update_end,
            &boot_checked, &image_accepted, &bank_accepted, &bank_reverted};
  }
};

}  // namespace vif::fwu
