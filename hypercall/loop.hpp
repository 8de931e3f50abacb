// SPDX-License-Identifier: BSD-2-Clause
// A domain on Linux: its clock, its sleep and its wake-up. Keep your own event loop and use three calls:
//
//   wait until fd() is readable or next_deadline() has come; then poll(budget)
//
// or let run() (hypercall/run.hpp) do it. One thread at a time, which then is the domain's thread; wake() is for any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "hypercall/fd_watch.hpp"
#include "netstack/domain.hpp"

namespace vif::host {

class VIF_API Loop final : public net::WakePort {
 public:
  // Errors: eventfd's and epoll's (EMFILE, ENFILE, ENOMEM). The ports outlive the loop.
  static Result<std::unique_ptr<Loop>> create(ClockPort& clock, RandomPort& random, const net::Domain::Config& config);

  net::Domain& domain() { return domain_; }

  // Readable when there is work. Borrowed; do not read it.
  int fd() const { return watch_.fd(); }
  // For links that wait for descriptors of their own.
  FdWatch& watch() { return watch_; }
  // When poll() is due without fd(): on the clock's time line; nullopt: never.
  std::optional<Time> next_deadline() const { return domain_.next_deadline(); }

  // One round of the domain's work, at most `budget` frames an interface. Afterwards fd() is readable exactly when
  // there is more. True: there is.
  bool poll(std::size_t budget);

  // Looks for work without sleeping, for at most `patience`: on a machine with a second processor a wake-up costs more
  // than a short look. True: there is some, poll.
  bool spin(Time patience);

  void wake() override;

  // Any thread: calls `look` here and at once, and keeps poll() waiting meanwhile. It may read what belongs to the
  // domain, and change nothing; the domain's now() may be long ago. False: poll() is under way, `look` was not called.
  bool try_look(const std::function<void()>& look);
  // For who changes what belongs to the domain between two polls, on its thread: nobody looks meanwhile.
  void unlooked(const std::function<void()>& change);

 private:
  Loop(ClockPort& clock, RandomPort& random, const net::Domain::Config& config, UniqueFd event, FdWatch watch)
      : clock_(clock), event_(std::move(event)), watch_(std::move(watch)), domain_(config, random, *this) {}

  ClockPort& clock_;
  UniqueFd event_;      // makes fd() readable
  bool woken_ = false;  // it does just now, as far as poll() knows
  FdWatch watch_;
  std::mutex domain_mutex_;  // poll()'s, and now and then a looker's
  net::Domain domain_;
};

}  // namespace vif::host
