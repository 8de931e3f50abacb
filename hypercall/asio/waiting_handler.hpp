// SPDX-License-Identifier: BSD-2-Clause
// A completion handler that waits: kept until it is completed, cancelled through its slot, or its loop goes. What makes
// any of our callbacks an Asio operation. The loop's thread.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "hypercall/asio/loop_on_asio.hpp"

namespace vif::host {

using AsioError = boost::system::error_code;

// An errno of ours, as Asio's own operations give it.
inline AsioError asio_error(int number) { return {number, boost::system::system_category()}; }
inline AsioError asio_error(const Error& error) { return asio_error(error.number()); }

// Completed with an AsioError and Values; with default values when it is cancelled.
template <class... Values>
class WaitingHandler final : LoopOnAsio::Waiter {
 public:
  explicit WaitingHandler(LoopOnAsio& home_in) : Waiter(home_in) {}
  ~WaitingHandler() override { cancel(); }

  bool waits() const { return static_cast<bool>(handler_); }

  // False: one waits already, and this one is told so (EALREADY).
  template <class Handler>
  bool begin(Handler handler) {
    if (waits()) {
      post(Any(std::move(handler)), asio_error(EALREADY), Values{}...);
      return false;
    }
    Any(std::move(handler)).swap(handler_);
    link();
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) {
      slot.assign([this](boost::asio::cancellation_type) { cancel(); });
    }
    return true;
  }

  // Nothing happens when none waits. The handler is never called from in here.
  void complete(const AsioError& error, Values... values) {
    if (waits()) post(take(), error, std::move(values)...);
  }
  void cancel() { complete(boost::asio::error::operation_aborted, Values{}...); }

 private:
  // Swapped, never assigned: Boost 1.81 assigns by way of itself, without end.
  using Any = boost::asio::any_completion_handler<void(AsioError, Values...)>;

  void forget() override { (void)take(); }

  Any take() {
    unlink();
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) slot.clear();
    Any taken;
    taken.swap(handler_);
    return taken;
  }
  // By way of the context to where the handler wants to run.
  void post(Any handler, const AsioError& error, Values... values) {
    const auto context = home.executor();
    auto wanted = boost::asio::get_associated_executor(handler, context);
    auto call = [handler = std::move(handler), error, ... values = std::move(values)]() mutable {
      std::move(handler)(error, std::move(values)...);
    };
    boost::asio::post(context,
                      [wanted, call = std::move(call)]() mutable { boost::asio::dispatch(wanted, std::move(call)); });
  }

  Any handler_;
};

}  // namespace vif::host
