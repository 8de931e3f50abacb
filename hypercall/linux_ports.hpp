// SPDX-License-Identifier: BSD-2-Clause
// Linux behind the small ports: its clocks, its randomness, its files. Any thread.
#pragma once

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/ports.hpp"
#include "netstack/base/stream.hpp"

namespace vif::host {

class VIF_API LinuxClock final : public ClockPort {
 public:
  Time now() override;              // CLOCK_MONOTONIC
  std::int64_t wall_ns() override;  // CLOCK_REALTIME
};

// getrandom(2).
class VIF_API LinuxRandom final : public RandomPort {
 public:
  std::uint64_t next() override;
};

// Regular files, pipes and devices. A source that is packed with gzip or zstd is unpacked on the way. A sink that
// cannot append all takes back what it appended, where the file allows (a pipe does not).
class VIF_API LinuxFiles final : public FilesPort {
 public:
  Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) override;
  Result<std::unique_ptr<ByteSink>> create_sink(const std::string& path) override;
  bool same_file(const std::string& one, const std::string& other) override;

  // From now on a read that has to wait (of a pipe, a terminal) fails with EAGAIN instead, of sources that are open
  // already, too; and the descriptor returned, ours, is readable once one that has failed so is worth another try,
  // until heard(). The thread that reads. Errors: epoll_create1's.
  Result<int> do_not_wait();
  void heard();

 private:
  std::shared_ptr<UniqueFd> waited_for_ = std::make_shared<UniqueFd>();  // of the sources, too, which may outlive us
};

// A sink over a descriptor that is open already: standard output. A file is appended to.
VIF_API std::unique_ptr<ByteSink> sink_over(UniqueFd fd, std::string name);

}  // namespace vif::host
