// SPDX-License-Identifier: BSD-2-Clause
// Descriptors of this host that make a link ready(): an epoll instance of a loop's. One thread at a time, the domain's.
//
// It tells of edges: once when a descriptor becomes readable (or writable, if asked), and not again before it was seen
// to have nothing (EAGAIN). So a link's drain reads until EAGAIN, or answers that there is more.
#pragma once

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class VIF_API FdWatch {
 public:
  enum class For : std::uint8_t { reading, reading_and_writing };

  // Errors: epoll_create1's (EMFILE, ENFILE, ENOMEM).
  static Result<FdWatch> create();

  // Readable when collect() would find something.
  int fd() const { return epoll_.get(); }

  // Calls sink.ready() from collect() until remove(); at once when the descriptor is ready now. Both stay until then.
  // Errors: epoll_ctl's (ENOMEM, ENOSPC; EPERM: a regular file).
  Status add(int fd, drv::LinkSink& sink, For what = For::reading);
  // Another `what` for one that is watched. Errors as add(), and nothing has changed.
  Status change(int fd, drv::LinkSink& sink, For what);
  // Before the descriptor is closed. Harmless when it is not watched.
  void remove(int fd);

  // A descriptor that only ends sleep, and stays ready until it is read. Errors as add().
  Status add_wake_up(int fd);

  struct Collected {
    bool woken;  // the wake-up descriptor is ready
    bool more;   // perhaps: so much has happened that the rest is for the next time
  };
  // Tells the links what has happened since; never waits.
  Collected collect();

 private:
  explicit FdWatch(UniqueFd epoll) : epoll_(std::move(epoll)) {}

  Status control(int operation, int fd, drv::LinkSink& sink, For what);

  UniqueFd epoll_;
};

}  // namespace vif::host
