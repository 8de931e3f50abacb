// SPDX-License-Identifier: BSD-2-Clause
// proc_event, what the process connector tells (Linux UAPI <linux/cn_proc.h>, 6.6 and later): 40 bytes, host byte
// order. This is their only reader and writer; everybody else has the value. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::cn {

// proc_cn_event, and three of our own that no kernel uses.
enum class What : std::uint32_t {
  none = 0,  // an acknowledgement
  fork = 0x1,
  exec = 0x2,
  uid = 0x4,
  gid = 0x40,
  sid = 0x80,
  ptrace = 0x100,
  comm = 0x200,
  task = 0x0100'0000,          // ours: one that lives already (resync)
  resynced = 0x0200'0000,      // ours: the last of them was before this
  lost = 0x0400'0000,          // ours: so many events are missing here
  nonzero_exit = 0x2000'0000,  // in masks only
  coredump = 0x4000'0000,
  exit = 0x8000'0000,
};

using Mask = std::uint32_t;
constexpr Mask bit(What what) { return static_cast<Mask>(what); }
inline constexpr Mask kMaskAll = 0xe000'03c7;  // PROC_EVENT_ALL

inline constexpr std::size_t kProcEventBytes = 40;
inline constexpr std::size_t kCommBytes = 16;  // TASK_COMM_LEN, its NUL included

// "pid" is a thread's id, "tgid" its process's. A field that an event's kind does not have is 0, and not sent.
struct ProcEvent {
  What what = What::none;
  std::uint32_t cpu = 0;           // who counts its seq: a processor, or a producer of ours
  std::uint64_t timestamp_ns = 0;  // CLOCK_MONOTONIC
  std::int32_t pid = 0, tgid = 0;  // whom it is about; of a fork: the child
  // fork, task, coredump, exit: the parent. ptrace: the tracer, 0 and 0 when it lets go.
  std::int32_t parent_pid = 0, parent_tgid = 0;
  std::uint32_t real_id = 0, effective_id = 0;  // uid, gid
  std::uint32_t exit_code = 0;                  // exit: as of wait(2)
  std::int32_t exit_signal = 0;                 // exit: what the parent is sent; -1 of a thread
  std::uint32_t error = 0;                      // none: a positive errno
  std::uint64_t count = 0;                      // lost: events; resynced: tasks
  std::array<char, kCommBytes> comm{};          // comm: NUL-terminated

  bool operator==(const ProcEvent&) const = default;
  std::string_view comm_text() const;
};

// nullopt: fewer than 40 bytes, or a `what` nobody knows. More bytes are somebody's extension.
VIF_API std::optional<ProcEvent> read_proc_event(Bytes payload);
// What is not of its kind is zero, as the kernel's.
VIF_API void write_proc_event(const ProcEvent& event, std::span<std::byte, kProcEventBytes> to);

// "FORK"; "ACK" of none. "?" of what is no event.
VIF_API std::string_view name(What what);
// The bit of a mask by its name in small letters ("exec", "nonzero_exit", "all"); nullopt: there is none.
VIF_API std::optional<Mask> mask_named(std::string_view name);

}  // namespace vif::cn
