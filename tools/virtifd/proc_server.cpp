// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/proc_server.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "hypercall/connector/connector_bridge.hpp"
#include "hypercall/host_error.hpp"
#include "hypercall/linux_ports.hpp"
#include "tools/virtifd/proc_session.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kClientsMax = 256;
constexpr Time kAcceptPause = std::chrono::milliseconds(100);  // when descriptors are short, as the control server
constexpr std::size_t kEventsARound = 4096;                    // then the listeners are told: less than a ring holds

}  // namespace

struct ProcServer::State {
  State(ControlSocket socket_in, std::optional<gid_t> group_in) : socket(std::move(socket_in)), group(group_in) {}

  Status begin(cn::ExitCodes& codes, const cn::ProcTrace& trace) {
    epoll = host::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    stop = host::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll || !stop) return host::host_error("cannot wait for process events");
    auto attached = cn::ProcConnector::attach(bus, clock, {.follow_tasks = true, .codes = &codes, .trace = &trace});
    if (!attached) return attached.error();
    proc = std::move(*attached);
    if (Status watched = watch(stop.get(), EPOLLIN); !watched) return watched;
    return watch(socket.fd(), EPOLLIN);
  }

  Status watch(int fd, std::uint32_t events, int operation = EPOLL_CTL_ADD) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll.get(), operation, fd, &event) == 0) return {};
    return host::host_error("cannot wait for process events");
  }

  Status run() {
    std::array<epoll_event, 64> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), patience_ms());
      if (ready < 0 && errno != EINTR) return host::host_error("cannot wait for process events");
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == stop.get()) return {};
        if (fd == socket.fd()) accept();
      }
      if (accept_again && clock.now() >= *accept_again) let_in(true);
      relay();
      hear_and_tell();
      if (sessions.empty()) bridge.reset();
    }
  }

  // Of a wait: a request that has come in part is not told of again, nor is the end of a pause.
  int patience_ms() const {
    if (std::ranges::any_of(sessions, [](const auto& session) { return session->has_heard_more(); })) return 0;
    return accept_again ? static_cast<int>(kAcceptPause / std::chrono::milliseconds(1)) : -1;
  }

  // Or, for a while, nobody: who waits at the door would keep us awake.
  void let_in(bool on) {
    accept_again = on ? std::nullopt : std::optional(clock.now() + kAcceptPause);
    (void)watch(socket.fd(), on ? EPOLLIN : 0U, EPOLL_CTL_MOD);
  }

  Workers::Job job() {
    return {.name = "proc",
            .run = [this] { return run(); },
            // One of them may be what it could not go on with.
            .prepare_again =
                [this] {
                  sessions.clear();
                  bridge.reset();
                },
            .ask_to_end =
                [this] {
                  const std::uint64_t one = 1;
                  (void)!::write(stop.get(), &one, sizeof one);
                }};
  }

  void accept() {
    host::UniqueFd fd(::accept4(socket.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) let_in(false);
    if (!fd) return;
    if (const auto admitted = admit(fd.get(), group); !admitted) return refuse(fd.get(), admitted.error());
    if (sessions.size() >= kClientsMax) return refuse(fd.get(), fail(EUSERS, "no more clients"));
    if (Status listening = listen_to_kernel(); !listening) return refuse(fd.get(), listening.error());
    auto session = ProcSession::open(std::move(fd), bus);
    if (!session || !watch((*session)->fd(), EPOLLIN)) return;
    sessions.push_back(std::move(*session));
  }

  // An answer to no question; ProcClient knows it.
  static void refuse(int fd, const Error& why) {
    std::byte payload[cn::kProcEventBytes], bytes[cn::kMessageHeaderBytes + sizeof payload];
    cn::write_proc_event({.what = cn::What::none, .error = static_cast<std::uint32_t>(why.number())}, payload);
    cn::write_message({.id = cn::kProcId, .payload = payload}, bytes);
    (void)::send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  Status listen_to_kernel() {
    if (bridge) return {};
    auto opened = host::ConnectorBridge::open(*proc);
    if (!opened) return opened.error();
    bridge = std::move(*opened);
    return watch(bridge->fd(), EPOLLIN);
  }

  void relay() {
    if (!bridge || bridge->drain(kEventsARound)) return;
    sessions.clear();  // the host failed: who connects again gets a bridge that works, or the reason
    bridge.reset();
  }

  void hear_and_tell() {
    const auto catch_up = [this] { (void)bridge->drain(kEventsARound); };
    std::erase_if(sessions, [&](const std::unique_ptr<ProcSession>& session) {
      const bool waited = session->wants_room();
      if (!session->hear(catch_up) || !session->tell()) return true;
      const std::uint32_t wanted = EPOLLIN | (session->wants_room() ? EPOLLOUT : 0U);
      if (session->wants_room() != waited) (void)watch(session->fd(), wanted, EPOLL_CTL_MOD);
      return false;
    });
  }

  ControlSocket socket;
  const std::optional<gid_t> group;
  host::UniqueFd epoll, stop;
  host::LinuxClock clock;
  cn::Bus bus;
  std::unique_ptr<cn::ProcConnector> proc;
  std::unique_ptr<host::ConnectorBridge> bridge;       // while somebody listens
  std::vector<std::unique_ptr<ProcSession>> sessions;  // gone before the bus
  std::optional<Time> accept_again;                    // when the host had no descriptor for who knocked
  std::unique_ptr<Workers::Running> worker;
};

ProcServer::ProcServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ProcServer>> ProcServer::start(ControlSocket socket, std::optional<gid_t> group,
                                                      Workers& workers, cn::ExitCodes& codes,
                                                      const cn::ProcTrace& trace) {
  auto state = std::make_unique<State>(std::move(socket), group);
  if (Status begun = state->begin(codes, trace); !begun) return begun.error();
  auto started = workers.start(state->job());
  if (!started) return started.error();
  state->worker = std::move(*started);
  return std::unique_ptr<ProcServer>(new ProcServer(std::move(state)));
}

ProcServer::~ProcServer() = default;

}  // namespace vif::tools
