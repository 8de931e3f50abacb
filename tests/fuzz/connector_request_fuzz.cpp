// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as requests of two clients, on a safe bus and on one in kernel mode: what is read says the same when it is
// written again, and whatever was asked before, a listen on the safe bus is answered and heard.
#include <algorithm>
#include <cstdint>

#include "services/connector/proc_connector.hpp"

namespace {

using namespace vif;
using namespace vif::cn;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

class NoClock final : public ClockPort {
 public:
  Time now() override { return Time(1); }
  std::int64_t wall_ns() override { return 1; }
};

void reads_back(Bytes payload) {
  const std::optional<Request> request = read_request(payload);
  if (!request) return;
  const std::vector<std::byte> written = write_request(*request);
  const std::optional<Request> again = read_request(written);
  require(again && again->op == request->op);
  if (request->op == Op::notify && request->payload_bytes >= 12) require(again->code == request->code);
  if (request->payload_bytes < 16) return;
  require(again->tid == request->tid && again->wishes == request->wishes);
}

// The next record's event; none: nothing there.
std::optional<ProcEvent> next_of(Subscriber& client) {
  const auto next = client.ring().read();
  const auto* const record = std::get_if<Record>(&next);
  const auto message = record != nullptr ? read_message(record->bytes) : std::nullopt;
  return message ? read_proc_event(message->payload) : std::nullopt;
}

void ask(Mode mode, Bytes bytes) {
  NoClock clock;
  Bus bus(mode);
  const auto codes = std::move(*ExitCodes::create(1024));
  const auto proc = std::move(*ProcConnector::attach(bus, clock, {.follow_tasks = true, .codes = codes.get()}));
  Subscriber first(bus, {.ring_bytes = 65'536}), second(bus, {.ring_bytes = 65'536});
  (void)first.join(kProcId.idx);
  proc->publish({.what = What::fork, .pid = 5, .tgid = 5, .parent_pid = 1, .parent_tgid = 1});
  // A byte says whose the next is and how long: so one input is a conversation.
  while (!bytes.empty()) {
    const auto head = std::to_integer<std::size_t>(bytes[0]);
    bytes = bytes.subspan(1);
    const Bytes payload = bytes.first(std::min(bytes.size(), head >> 2));
    bytes = bytes.subspan(payload.size());
    reads_back(payload);
    Subscriber* const who = (head & 1) != 0 ? &first : &second;
    bus.receive({.id = kProcId, .payload = payload},
                {.subscriber = who, .tid = 5, .tgid = 5, .uid = 1000, .initial_namespaces = (head & 2) == 0});
    proc->publish({.what = What::exec, .pid = 5, .tgid = 5});
  }
  if (mode != Mode::safe) return;
  while (next_of(first)) continue;
  const auto listen = write_request({.wishes = {}});
  bus.receive({.id = kProcId, .payload = listen}, {.subscriber = &first});
  proc->publish({.what = What::exit, .pid = 5, .tgid = 5});
  const auto answer = next_of(first), event = next_of(first);
  require(answer && answer->what == What::none && answer->error == 0 && event && event->what == What::exit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  ask(Mode::safe, bytes);
  ask(Mode::kernel, bytes);
  return 0;
}
