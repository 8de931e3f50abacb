// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/workers.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace vif::tools {
namespace {

constexpr Time kRestartPause = std::chrono::seconds(1);  // one that cannot live is not tried without end
constexpr auto kPostPause = std::chrono::milliseconds(10);
constexpr const char* kNodeName = "node";

void say(const std::string& text) { std::fprintf(stderr, "virtifd: %s\n", text.c_str()); }

}  // namespace

Workers::Running::Running(Workers& owner, Job job)
    : owner_(owner), job_(std::move(job)), again_(owner.loop_.domain().callouts(), [this] {
        job_.prepare_again();
        if (Status begun = begin(); !begun) owner_.settle(*this, host::WorkerEnd::returned, begun.error().text);
      }) {}

Workers::Running::~Running() {
  ending_ = true;
  job_.ask_to_end();
}

Status Workers::Running::begin() {
  auto started = host::Worker::start(
      {.name = "virtifd-" + job_.name,
       .codes = owner_.codes_,
       .body = job_.run,
       .ended = [this](host::WorkerEnd end, const std::string& why) { owner_.ended(*this, end, why); }});
  if (!started) return started.error();
  worker_ = std::move(*started);
  return {};
}

Result<std::unique_ptr<Workers::Running>> Workers::start(Job job) {
  auto running = std::make_unique<Running>(*this, std::move(job));
  if (Status begun = running->begin(); !begun) return begun.error();
  return running;
}

// On the thread that ends.
void Workers::ended(Running& running, host::WorkerEnd end, const std::string& why) {
  const auto told = [this, &running, end, why] { settle(running, end, why); };
  while (!running.ending_ && !loop_.domain().post(told)) std::this_thread::sleep_for(kPostPause);
}

void Workers::settle(Running& running, host::WorkerEnd end, const std::string& why) {
  running.worker_.reset();
  tell(running.job_.name, end, why, {});
  if (at_end_ == AtEnd::restart) return running.again_.schedule(loop_.domain().now() + kRestartPause);
  fatal_ = fail(ECHILD, "without its " + running.job_.name + " thread there is no going on");
  if (runner_ != nullptr) runner_->stop();
}

void Workers::tell(const std::string& name, host::WorkerEnd end, const std::string& why,
                   const std::vector<std::string>& down) {
  const bool again = at_end_ == AtEnd::restart;
  say("the " + name + " thread has ended (" + host::name(end) + "): " + why +
      (again ? ": it is started again" : ": virtifd ends, as --restart-workers is not set"));
  trace_.worker_end(name, host::name(end), why);
  node_.tell("worker.end",
             {{"worker", name}, {"end", host::name(end)}, {"reason", why}, {"links", down}, {"restart", again}});
}

Status Workers::run_node(std::unique_ptr<host::Runner> runner) {
  for (;;) {
    runner_ = runner.get();
    const host::Ran ran = host::run_guarded([&] { return runner->run(); });
    runner_ = nullptr;
    if (fatal_) return *fatal_;
    if (ran.status) return {};
    std::vector<std::string> down;
    loop_.unlooked([&] { down = take_down(); });  // the control thread may be at it
    tell(kNodeName, ran.end, ran.status.error().text, down);
    if (at_end_ == AtEnd::stop) return ran.status;
    // It hears signals before the one that failed does not any more.
    auto next = std::make_unique<host::Runner>(loop_);
    if (Status signals = next->stop_on_signals(); !signals) return signals;
    runner = std::move(next);
    std::this_thread::sleep_for(kRestartPause);
    loop_.unlooked([&] { bring_up(down); });
  }
}

// Those that were up.
std::vector<std::string> Workers::take_down() {
  std::vector<std::string> down;
  for (net::Ifnet* const ifp : loop_.domain().interfaces()) {
    if (!ifp->is(net::IFF_UP)) continue;
    if (Status done = ifp->ioctl(net::SetFlags{ifp->flags() & ~std::uint32_t{net::IFF_UP}}); !done) {
      say(ifp->name() + " cannot be taken down: " + done.error().text);
      continue;
    }
    node_.changed(*ifp);
    down.push_back(ifp->name());
  }
  return down;
}

void Workers::bring_up(const std::vector<std::string>& ifnames) {
  for (const std::string& ifname : ifnames) {
    net::Ifnet* const ifp = node_.interfaces().find(ifname);
    if (ifp == nullptr) continue;
    if (Status done = ifp->ioctl(net::SetFlags{ifp->flags() | net::IFF_UP}); !done) {
      say(ifname + " stays down: " + done.error().text);
    }
    node_.changed(*ifp);
  }
}

}  // namespace vif::tools
