// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/control_server.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <unordered_map>

#include "hypercall/host/verbs/verb.hpp"
#include "tools/virtifd/capture_server.hpp"
#include "tools/virtifd/control_session.hpp"
#include "tools/virtifd/events.hpp"
#include "tools/virtifd/metrics_server.hpp"
#include "tools/virtifd/metrics_text.hpp"
#include "tools/virtifd/node_config.hpp"
#include "tools/virtifd/trace_server.hpp"

namespace vif::tools {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // when descriptors are short: closing clients frees them
constexpr std::uint64_t kEventsInFlightMax = 4096;             // from the domain's thread to ours
constexpr auto kNobody = static_cast<uid_t>(-1);               // nobody's id, so that setuid() can refuse it

}  // namespace

struct ControlServer::State final : ControlSession::Owner, EventSink, MetricsServer::Source {
  State(ControlSocket socket_in, host::Loop& loop_in, host::Node& node_in, const Config& config_in)
      : config(config_in),
        loop(loop_in),
        node(node_in),
        socket(std::move(socket_in)),
        state(context, node_in, config_in.state_path),
        pause(context),
        acceptor(context),
        reload(context),
        captures(context, node_in),
        traces(context, config_in.trace) {}

  // --- control thread ---

  void accept() {
    acceptor.async_accept([this](const error_code& error, asio::local::stream_protocol::socket client) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        pause.expires_after(kAcceptPause);
        return pause.async_wait([this](const error_code& ended) { ended ? void() : accept(); });
      }
      welcome(std::move(client));
      accept();
    });
  }

  // The first that a thread does which was started again: what the one before had in hand is lost.
  void begin_again() {
    std::vector<ControlSession*> askers;
    for (const auto& [id, session] : sessions) {
      if (!session->follows_events()) askers.push_back(session.get());
    }
    for (ControlSession* const session : askers) session->close();
    pause.cancel();
    acceptor.cancel();
    accept();
    reload.cancel();
    await_reload();
  }

  void welcome(asio::local::stream_protocol::socket client) {
    const Result<uid_t> user = admit(client.native_handle(), config.group);
    const std::uint64_t id = ++last_id;
    ControlSession& session =
        *sessions.emplace(id, std::make_unique<ControlSession>(id, user ? *user : kNobody, std::move(client), *this))
             .first->second;
    if (!user) return session.refuse(fault_line(fault_of(user.error(), nullptr)));
    if (sessions.size() > kClientsMax) {
      return session.refuse(fault_line({EUSERS, "virtifd has as many clients as it serves: try later", nullptr}));
    }
    session.start();
  }

  void requested(ControlSession& session, RpcRequest request) override {
    ++requests;
    if (request.method == "version") {
      return answer(session, request.id, Json{{"virtif", VIF_VERSION}, {"protocol", kProtocolVersion}});
    }
    if (request.method == "verbs") return answer(session, request.id, host::verbs_json());
    if (request.method == "monitor") return monitor(session, request);
    if (request.method == "capture") {
      if (const std::optional<RpcFault> fault = captures.begin(session, request)) return answer(session, *fault);
      return ended(session);
    }
    if (TraceServer::knows(request.method)) {
      const std::optional<Result<Json>> done = traces.carry_out(session, request);
      return done ? answered(session.id(), request.id, *done) : ended(session);
    }
    const host::Verb* const verb = host::find_verb(request.method);
    if (verb == nullptr) {
      return answer(
          session,
          {kMethodNotFound, "there is no method '" + request.method + "'; 'verbs' lists those there are", request.id});
    }
    if (verb->only_looks && look(*verb, session, request)) return;
    const bool posted =
        loop.domain().post([this, verb, client = session.id(), request] { run(*verb, client, request); });
    if (!posted) return answer(session, {EAGAIN, "virtifd is busy: try again", request.id});
    if (verb->answers_later()) request.id.is_null() ? session.reply("") : session.later();
  }

  // What most requests are, without two threads waking each other. False: the domain is at work, and has to be asked.
  bool look(const host::Verb& verb, ControlSession& session, const RpcRequest& request) {
    std::optional<Result<Json>> seen;
    if (!loop.try_look([&] { seen = host::call_verb(node, verb, request.params); })) return false;
    answered(session.id(), request.id, *seen);
    return true;
  }

  void monitor(ControlSession& session, const RpcRequest& request) {
    const auto on = request.params.find("on");
    if (request.params.size() != 1 || on == request.params.end() || !on->is_boolean()) {
      return answer(session, {kInvalidParams, "monitor takes 'on': true or false", request.id});
    }
    session.subscribe(on->get<bool>(), next_event);
    answer(session, request.id, Json{{"next", next_event}});
  }

  void await_reload() {
    reload.async_wait([this](const error_code& error, int) {
      if (error) return;
      await_reload();
      if (config.config_path.empty()) {
        std::fputs("virtifd: there is no --config to read again\n", stderr);
        return;
      }
      // On the domain's thread, which the file keeps waiting: a rare thing, asked for by the operator.
      (void)loop.domain().post([this] {
        const Status loaded = load_config(node, config.config_path);
        if (!loaded) std::fprintf(stderr, "virtifd: %s\n", loaded.error().text.c_str());
        asio::post(context, [this] { state.changed(); });
      });
    });
  }

  bool measure(std::function<void(std::string)> ready) override {
    return loop.domain().post([this, ready = std::move(ready)] {
      NodeReading reading = read_node(node);
      reading.events = events->last();
      // The text is made on the other thread.
      asio::post(context, [this, ready, reading = std::move(reading)] {
        ready(metrics_text(reading, {.clients = sessions.size(), .requests = requests}));
      });
    });
  }

  // A notification, whose id is null, is not answered.
  void answer(ControlSession& session, const Json& id, const Json& result) {
    session.reply(id.is_null() ? std::string() : result_line(id, result));
  }
  void answer(ControlSession& session, const RpcFault& fault) {
    session.reply(fault.id.is_null() ? std::string() : fault_line(fault));
  }

  void answered(std::uint64_t client, const Json& id, const Result<Json>& done) {
    const auto session = sessions.find(client);
    if (session == sessions.end()) return;  // it did not wait
    if (done) answer(*session->second, id, *done);
    else answer(*session->second, fault_of(done.error(), id));
  }

  void answered_late(std::uint64_t client, const Json& id, const Result<Json>& done) {
    const auto session = sessions.find(client);
    if (session == sessions.end() || id.is_null()) return;
    session->second->reply_late(done ? result_line(id, *done) : fault_line(fault_of(done.error(), id)));
  }

  void ended(ControlSession& session) override {
    if (session.idle()) sessions.erase(session.id());
  }

  void tell_all(std::uint64_t sequence, const Json& event) {
    next_event = sequence + 1;
    const std::string line = notification_line("event", event);
    for (const auto& [id, session] : sessions) session->event(sequence, line);
  }

  // --- the domain's thread ---

  Workers::Job job() {
    return {.name = "control",
            .run =
                [this] {
                  context.run();
                  return asked_to_end ? Status() : fail(EPIPE, "nothing was left to wait for");
                },
            .prepare_again =
                [this] {
                  context.restart();
                  asio::post(context, [this] { begin_again(); });
                },
            // Behind what is on its way to clients.
            .ask_to_end =
                [this] {
                  asked_to_end = true;
                  asio::post(context, [this] { context.stop(); });
                }};
  }

  void run(const host::Verb& verb, std::uint64_t client, const RpcRequest& request) {
    if (verb.answers_later()) {
      return host::begin_verb(node, verb, request.params, [this, client, id = request.id](const Result<Json>& done) {
        asio::post(context, [this, client, id, done] { answered_late(client, id, done); });
      });
    }
    Result<Json> done = host::call_verb(node, verb, request.params);
    // The text is made on the other thread.
    asio::post(context,
               [this, client, id = request.id, changes = !verb.name.ends_with(".show"), done = std::move(done)] {
                 if (changes) state.changed();  // also when it failed: a part may have been done
                 answered(client, id, done);
               });
  }

  void happened(std::uint64_t sequence, Json event) override {
    // What does not fit is missing from the sequence, and so seen.
    if (events_in_flight.fetch_add(1, std::memory_order_relaxed) >= kEventsInFlightMax) {
      events_in_flight.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    asio::post(context, [this, sequence, event = std::move(event)] {
      events_in_flight.fetch_sub(1, std::memory_order_relaxed);
      tell_all(sequence, event);
    });
  }

  const Config config;
  host::Loop& loop;
  host::Node& node;
  ControlSocket socket;
  std::atomic<std::uint64_t> events_in_flight{0};
  std::optional<Events> events;

  asio::io_context context{1};
  StateFile state;
  asio::steady_timer pause;
  asio::local::stream_protocol::acceptor acceptor;
  asio::signal_set reload;
  std::unordered_map<std::uint64_t, std::unique_ptr<ControlSession>> sessions;
  CaptureServer captures;
  TraceServer traces;
  std::uint64_t last_id = 0, next_event = 1, requests = 0;
  std::optional<MetricsServer> metrics;
  std::atomic<bool> asked_to_end{false};
  std::unique_ptr<Workers::Running> worker;
};

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ControlServer>> ControlServer::start(Doors doors, host::Loop& loop, host::Node& node,
                                                            Workers& workers, const Config& config) {
  try {
    auto state = std::make_unique<State>(std::move(doors.socket), loop, node, config);
    host::UniqueFd fd = state->socket.take_fd();
    state->acceptor.assign(asio::local::stream_protocol(), fd.get());
    (void)fd.release();
    state->events.emplace(node, *state);
    state->reload.add(SIGHUP);
    state->await_reload();
    state->accept();
    if (doors.metrics) state->metrics.emplace(state->context, std::move(*doors.metrics), *state);
    auto started = workers.start(state->job());
    if (!started) return started.error();
    state->worker = std::move(*started);
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
  } catch (const std::system_error& error) {
    return Error{error.code(), std::string("cannot serve clients: ") + error.what()};
  }
}

ControlServer::~ControlServer() {
  state_->worker.reset();
  state_->events.reset();
  state_->state.save_last();
}

}  // namespace vif::tools
