// SPDX-License-Identifier: BSD-2-Clause
// What a record costs on its way: from the kernel, and to another process.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/bench/connector_live.hpp"
#include "tools/virtifd/proc_session.hpp"

namespace vif::bench {
// --- the bridge beside a bare loop ---

// Both have heard the same events, and read them one after the other.
void beside_a_bare_loop(int rounds) {
  constexpr int kEvents = 20'000;
  BareSocket bare;
  Live live(kLargeBytes);
  const auto storm = [] {
    for (int i = 0; i < kEvents; ++i) ::prctl(PR_SET_NAME, i % 2 == 0 ? "connector_sto" : "connector_sto2");
  };
  const auto timed = [&](bool ours) {
    const double begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
    if (ours) live.drain();
    else bare.drain([](Bytes) {});
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / kEvents;
  };
  const auto round = [&](bool ours) {
    live.drain();
    (void)bare.drain([](Bytes) {});
    (void)read_all(live.listener);
    storm();
    return timed(ours);
  };
  Comparison(
      "connector: read the kernel's events; a frame is an event",
      {{"bridge, to one subscriber", [&] { return round(true); }}, {"bare recvmmsg", [&] { return round(false); }}},
      {{"bare recvmmsg", 0.9}})
      .run(rounds);
  if (live.bridge->lost() != 0) give_up("some were lost");
}

// --- to another process ---

namespace {

double to_a_process(bool packed) {
  const int records = packed ? 400'000 : 40'000;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) give_up("no socket pair");
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::close(ends[0]);
    pin(1);
    std::array<std::byte, cn::kMessageBytesMax> room;
    for (int left = records; left > 0;) {
      const ssize_t got = ::recv(ends[1], room.data(), room.size(), 0);
      if (got <= 0) ::_exit(1);
      left -= static_cast<int>(got) / 60;
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  cn::Bus bus;
  Clock clock;
  const auto proc = std::move(*cn::ProcConnector::attach(bus, clock, {}));
  const cn::ProcEvent event{.what = cn::What::exit, .timestamp_ns = 5, .pid = 1, .tgid = 1};
  const double begun = now_ns();
  if (packed) {
    const auto session = std::move(*tools::ProcSession::open(host::UniqueFd(ends[0]), bus));
    const auto listen = cn::write_request({.wishes = {}});
    bus.receive({.id = cn::kProcId, .payload = listen}, {.subscriber = bus.members(cn::kProcId.idx).front()});
    (void)read_all(*bus.members(cn::kProcId.idx).front());
    for (int i = 0; i < records; ++i) {
      proc->publish(event);
      if (i % 512 == 511 || i == records - 1) {
        while (session->tell() && session->wants_room()) std::this_thread::yield();
      }
    }
    ::waitpid(reader, nullptr, 0);
  } else {
    std::byte record[60]{};
    for (int i = 0; i < records; ++i) (void)!::send(ends[0], record, sizeof record, MSG_NOSIGNAL);
    ::waitpid(reader, nullptr, 0);
    ::close(ends[0]);
  }
  return (now_ns() - begun) / records;
}

}  // namespace

void to_processes(int rounds) {
  Comparison("connector: a record to another process; a frame is a record",
             {{"virtifd's session: many a datagram", [] { return to_a_process(true); }},
              {"send, one a datagram", [] { return to_a_process(false); }}},
             {{"send, one a datagram", 10}})
      .run(rounds);
}

}  // namespace vif::bench
