// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/proc_event.hpp"

#include <algorithm>

namespace vif::cn {
namespace {

// The union begins here.
constexpr std::size_t kData = 16;

// Reads or writes the fields of a kind in the order in which they stand in the union, so that both agree.
template <class Event, class Visit32, class Visit64, class VisitComm>
bool visit_fields(Event& event, Visit32 v32, Visit64 v64, VisitComm comm) {
  switch (event.what) {
    case What::none:
      return v32(event.error), true;
    case What::fork:
      return v32(event.parent_pid), v32(event.parent_tgid), v32(event.pid), v32(event.tgid), true;
    case What::exec:
    case What::sid:
      return v32(event.pid), v32(event.tgid), true;
    case What::uid:
    case What::gid:
      return v32(event.pid), v32(event.tgid), v32(event.real_id), v32(event.effective_id), true;
    case What::comm:
      return v32(event.pid), v32(event.tgid), comm(event.comm), true;
    case What::ptrace:
    case What::coredump:
    case What::task:
      return v32(event.pid), v32(event.tgid), v32(event.parent_pid), v32(event.parent_tgid), true;
    case What::exit:
      v32(event.pid), v32(event.tgid), v32(event.exit_code), v32(event.exit_signal);
      return v32(event.parent_pid), v32(event.parent_tgid), true;
    case What::lost:
    case What::resynced:
      return v64(event.count), true;
    case What::nonzero_exit:
      break;
  }
  return false;
}

struct Name {
  What what;
  std::string_view upper, lower;
};
constexpr std::array<Name, 14> kNames = {{
    {What::none, "ACK", ""},
    {What::fork, "FORK", "fork"},
    {What::exec, "EXEC", "exec"},
    {What::uid, "UID", "uid"},
    {What::gid, "GID", "gid"},
    {What::sid, "SID", "sid"},
    {What::ptrace, "PTRACE", "ptrace"},
    {What::comm, "COMM", "comm"},
    {What::task, "TASK", ""},
    {What::resynced, "RESYNCED", ""},
    {What::lost, "LOST", ""},
    {What::nonzero_exit, "NONZERO_EXIT", "nonzero_exit"},
    {What::coredump, "COREDUMP", "coredump"},
    {What::exit, "EXIT", "exit"},
}};

}  // namespace

std::string_view ProcEvent::comm_text() const {
  return {comm.data(), static_cast<std::size_t>(std::find(comm.begin(), comm.end(), '\0') - comm.begin())};
}

std::optional<ProcEvent> read_proc_event(Bytes payload) {
  if (payload.size() < kProcEventBytes) return std::nullopt;
  const std::byte* at = payload.data();
  ProcEvent event{.what = What{load<std::uint32_t, std::endian::native>(at)},
                  .cpu = load<std::uint32_t, std::endian::native>(at + 4),
                  .timestamp_ns = load<std::uint64_t, std::endian::native>(at + 8)};
  at += kData;
  const auto take = [&at](auto& field) {
    std::memcpy(&field, at, sizeof field);
    at += sizeof field;
  };
  if (!visit_fields(event, take, take, take)) return std::nullopt;
  event.comm.back() = '\0';
  return event;
}

void write_proc_event(const ProcEvent& event, std::span<std::byte, kProcEventBytes> to) {
  std::memset(to.data(), 0, to.size());
  std::byte* at = to.data();
  store<std::uint32_t, std::endian::native>(at, bit(event.what));
  store<std::uint32_t, std::endian::native>(at + 4, event.cpu);
  store<std::uint64_t, std::endian::native>(at + 8, event.timestamp_ns);
  at += kData;
  const auto give = [&at](const auto& field) {
    std::memcpy(at, &field, sizeof field);
    at += sizeof field;
  };
  (void)visit_fields(event, give, give, give);
}

std::string_view name(What what) {
  const auto* const found = std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return n.what == what; });
  return found == kNames.end() ? "?" : found->upper;
}

std::optional<Mask> mask_named(std::string_view text) {
  if (text == "all") return kMaskAll;
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return !n.lower.empty() && n.lower == text; });
  return found == kNames.end() ? std::nullopt : std::optional(bit(found->what));
}

}  // namespace vif::cn
