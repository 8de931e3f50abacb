// SPDX-License-Identifier: BSD-2-Clause
// A loop inside a program's own boost::asio::io_context. Asio wakes it; it does not see a single frame. Opt-in and
// header-only, as the library itself shows no Boost: what includes this is compiled with the program's.
//
// One thread runs the context, and is the domain's thread. Made after the loop, what stands on it (Instance, LwipStack)
// and the context, so gone before them; nobody runs the context from then on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hypercall/loop.hpp"

namespace vif::host {

class LoopOnAsio {
 public:
  using Executor = boost::asio::io_context::executor_type;

  // Begins to poll when the context runs, and keeps it running. Looks for work for `patience` before it lets others
  // have their turn. Throws Asio's system_error (EMFILE ...).
  LoopOnAsio(boost::asio::io_context& context, Loop& loop, Time patience = {})
      : context_(context), loop_(loop), patience_(patience), timer_(context), wakes_(context, loop.fd()) {
    soon();  // callouts may be pending that no wake-up speaks of
    wait();
  }
  ~LoopOnAsio() {
    while (waiters_ != nullptr) waiters_->forget();
    wakes_.release();  // the loop's
  }
  LoopOnAsio(const LoopOnAsio&) = delete;
  LoopOnAsio& operator=(const LoopOnAsio&) = delete;

  Executor executor() { return context_.get_executor(); }

  // Polls before the context sleeps again: after a call into the domain from outside a poll, which may have set timers.
  void soon() {
    if (std::exchange(soon_, true)) return;
    boost::asio::post(context_, [this] {
      soon_ = false;
      poll();
    });
  }

  // Handlers that wait for something of this loop's; dropped with it.
  class Waiter {
   public:
    virtual ~Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

   protected:
    explicit Waiter(LoopOnAsio& home_in) : home(home_in) {}
    void link() {
      previous_ = &home.waiters_;
      next_ = std::exchange(home.waiters_, this);
      if (next_ != nullptr) next_->previous_ = &next_;
    }
    void unlink() {
      *previous_ = next_;
      if (next_ != nullptr) next_->previous_ = previous_;
    }

    LoopOnAsio& home;

   private:
    friend class LoopOnAsio;
    virtual void forget() = 0;  // unlinks it

    Waiter** previous_ = nullptr;
    Waiter* next_ = nullptr;
  };

 private:
  using Error = boost::system::error_code;
  static constexpr std::size_t kBudgetFrames = 64;

  void poll() {
    // A few rounds a wake-up, so that others get their turn under load.
    for (int rounds = 16; rounds > 0 && (loop_.poll(kBudgetFrames) || loop_.spin(patience_)); --rounds) {
    }
    set_timer();
  }

  // Once for each deadline: it costs more than the round it follows.
  void set_timer() {
    const std::optional<Time> deadline = loop_.next_deadline();
    if (deadline == awaited_) return;
    awaited_ = deadline;
    if (!deadline) return void(timer_.cancel());
    timer_.expires_at(std::chrono::steady_clock::time_point(*deadline));
    timer_.async_wait([this](const Error& error) {
      if (error) return;
      awaited_.reset();
      poll();
    });
  }

  void wait() {
    wakes_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const Error& error) {
      if (error) return;
      poll();
      wait();
    });
  }

  boost::asio::io_context& context_;
  Loop& loop_;
  const Time patience_;
  Waiter* waiters_ = nullptr;
  bool soon_ = false;
  std::optional<Time> awaited_;  // what the timer is set to
  boost::asio::steady_timer timer_;
  boost::asio::posix::stream_descriptor wakes_;  // last: would close the loop's descriptor if one behind it threw
};

}  // namespace vif::host
