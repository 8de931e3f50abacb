// SPDX-License-Identifier: BSD-2-Clause
// A trace.dat from pages that come one by one, of one ring and another: they wait in files without a name beside it
// until all are there, for the format wants each ring's in one piece. One thread; blocks on the files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/page_events.hpp"
#include "services/trace/trace_dat_head.hpp"

namespace vif::host {

class VIF_API TraceDatFile {
 public:
  // Opens or makes the file, which keeps what it had until finish(). Errors: the host's errno.
  static Result<TraceDatFile> create(const std::string& path);
  // There is nothing to write: a file that was not there before is not there again.
  void drop() const;

  // The next page of the ring, as RingReader gives it; what it is shorter than kPageBytes is zeros. Errors: as above.
  Status add(std::size_t ring, Bytes page);
  // After the last; each ring becomes a CPU. Errors: as above.
  Status finish(std::span<const trace::RecordedEvent> events, std::span<const trace::ThreadName> threads);

  std::uint64_t events() const { return events_; }  // in the pages so far

 private:
  struct Ring {
    UniqueFd scratch;
    std::string waiting;  // to be written
    std::uint64_t pages = 0;
  };

  TraceDatFile(std::string path, UniqueFd fd, bool is_new)
      : path_(std::move(path)), fd_(std::move(fd)), is_new_(is_new) {}
  Result<UniqueFd> open_scratch() const;
  Status flush(Ring& ring);
  Status append(const Ring& ring);
  Error error() const;  // of the last system call

  std::string path_;
  UniqueFd fd_;
  bool is_new_;
  std::vector<Ring> rings_;
  std::uint64_t events_ = 0;
};

// Whether a file could be created there, before something is done that would be lost otherwise. Leaves all as it was.
// Errors: create()'s.
VIF_API Status may_create(const std::string& path);

}  // namespace vif::host
