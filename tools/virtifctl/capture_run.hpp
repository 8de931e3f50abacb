// SPDX-License-Identifier: BSD-2-Clause
// A capture from its beginning to its end: frames from a virtifd to files or a terminal, and what came of them. One
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/virtifctl/capture_source.hpp"
#include "tools/virtifctl/capture_target.hpp"

namespace vif::tools {

struct CaptureJob {
  std::string socket_path;
  Json params;                      // of `capture`, all but the filter
  std::string filter;               // pcap-filter(7); empty: all frames
  std::string path;                 // as CaptureTarget has it; empty: print the frames
  std::optional<CaptureRing> ring;  // only with a path that is no "-"
  std::optional<std::uint64_t> frames_max;
};

class CaptureRun {
 public:
  // Errors: CaptureSource's, CaptureTarget's; EINVAL: the filter's.
  static Result<CaptureRun> begin(const CaptureJob& job, FilesPort& files);

  // Until the first of: as many frames as asked for, a signal, nobody reads what is written. Then returns without
  // error. ENODEV: the interfaces are gone; ECONNRESET: virtifd is; otherwise the target's errors. In each case but the
  // last what came of the frames is written.
  Status run();

  // What came of them, a line for each interface.
  std::string report() const;
  // "virt0 (tap:tap0), virt1 (no link)"
  std::string subject() const;

 private:
  enum class Ending : std::uint8_t { none, stopped, gone };

  CaptureRun(CaptureSource source, std::unique_ptr<CaptureTarget> target, const CaptureJob& job);
  Status take_all();
  Status take_frame(const host::CaptureRecord& record);
  void take_tally(const host::CaptureRecord& record);
  Status flush();
  void count_written();
  Status written(Status status);
  Status wait();
  void end();
  Status why_ended() const;

  CaptureSource source_;
  std::unique_ptr<CaptureTarget> target_;  // null: print
  std::optional<std::uint64_t> frames_left_;
  bool watches_stdout_;
  bool unheard_ = false;  // nobody reads what is written
  bool asked_ = false;    // virtifd was asked to end
  std::vector<net::CaptureStatistics> statistics_;
  std::vector<std::uint64_t> unwritten_;  // frames of each interface that are not known to be in the file
  std::uint64_t appends_ = 0;             // of the target, when they were counted last
  std::vector<Ending> endings_;
};

}  // namespace vif::tools
