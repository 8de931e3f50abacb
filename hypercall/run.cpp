// SPDX-License-Identifier: BSD-2-Clause
// The only source of the library with Boost.Asio in it.
#include "hypercall/run.hpp"

#include <boost/asio/signal_set.hpp>
#include <thread>

#include "hypercall/asio/loop_on_asio.hpp"

namespace vif::host {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A wake-up from another processor takes 25 us and more on virtual machines: look for so long before sleeping.
constexpr Time kPatience = std::chrono::microseconds(30);

Error asio_error(const error_code& error, const char* what) {
  return {std::error_code(error.value(), std::generic_category()), std::string(what) + ": " + error.message()};
}

}  // namespace

struct Runner::State {
  explicit State(Loop& polled)
      : polling(context, polled, std::thread::hardware_concurrency() > 1 ? kPatience : Time(0)) {}

  asio::io_context context{1};
  LoopOnAsio polling;
  std::optional<asio::signal_set> signals;
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
