// SPDX-License-Identifier: BSD-2-Clause
// The only file with Boost.Asio in it. Asio wakes us; it does not see a single frame.
#include "hypercall/run.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

namespace vif::host {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kBudgetFrames = 64;
// A wake-up from another processor takes 25 us and more on virtual machines: look for so long before sleeping.
constexpr Time kPatience = std::chrono::microseconds(30);

Error asio_error(const error_code& error, const char* what) {
  return {std::error_code(error.value(), std::generic_category()), std::string(what) + ": " + error.message()};
}

}  // namespace

struct Runner::State {
  explicit State(Loop& polled) : loop(polled), timer(context), wakes(context, polled.fd()) {}
  ~State() { wakes.release(); }  // the loop's

  void poll() {
    // A few rounds a wake-up, so that stop() and signals get their turn under load.
    for (int rounds = 16; rounds > 0 && (loop.poll(kBudgetFrames) || loop.spin(patience)); --rounds) {
    }
    set_timer();
  }

  // Once for each deadline: it costs more than the round it follows.
  void set_timer() {
    const std::optional<Time> deadline = loop.next_deadline();
    if (deadline == awaited) return;
    awaited = deadline;
    if (!deadline) return void(timer.cancel());
    timer.expires_at(std::chrono::steady_clock::time_point(*deadline));
    timer.async_wait([this](const error_code& error) {
      if (error) return;
      awaited.reset();
      poll();
    });
  }

  void wait() {
    wakes.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (error) return;
      poll();
      wait();
    });
  }

  Loop& loop;
  std::optional<Time> awaited;  // what the timer is set to
  const Time patience = std::thread::hardware_concurrency() > 1 ? kPatience : Time(0);
  asio::io_context context{1};
  asio::steady_timer timer;
  std::optional<asio::signal_set> signals;
  asio::posix::stream_descriptor wakes;  // last: would close the loop's descriptor when one behind it cannot be made
};

Runner::Runner(Loop& loop) {
  try {
    state_ = std::make_unique<State>(loop);
  } catch (const boost::system::system_error& error) {
    unusable_ = asio_error(error.code(), "cannot wait for work");
  }
}

Runner::~Runner() = default;

Status Runner::usable() const {
  if (unusable_) return *unusable_;
  return {};
}

Status Runner::stop_on_signals() {
  if (Status ok = usable(); !ok) return ok;
  try {
    state_->signals.emplace(state_->context, SIGINT, SIGTERM);
  } catch (const boost::system::system_error& error) {
    return asio_error(error.code(), "cannot wait for signals");
  }
  state_->signals->async_wait([this](const error_code& error, int) {
    if (!error) stop();
  });
  return {};
}

Status Runner::run() {
  if (Status ok = usable(); !ok) return ok;
  try {
    // Callouts may be pending that no wake-up speaks of.
    asio::post(state_->context, [this] { state_->poll(); });
    state_->wait();
    state_->context.run();
  } catch (const boost::system::system_error& error) {
    return asio_error(error.code(), "waiting for work");
  }
  return {};
}

void Runner::stop() {
  if (state_) state_->context.stop();
}

}  // namespace vif::host
