// SPDX-License-Identifier: BSD-2-Clause
// Compares what comes back during a replay with what was expected; for a report it also keeps that in a capture, and
// what the replay was like.
#pragma once

#include "hypercall/replay/link_replay.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "netstack/replay/expected_sides.hpp"
#include "netstack/replay/replay_log.hpp"
#include "tools/virtifctl/expect_options.hpp"

namespace vif::tools {

class ExpectWatch {
 public:
  struct Host {
    FilesPort& files;
    ClockPort& clock;
  };
  // `received` is the capture to write, for a report only. Errors: the expectation cannot be read, or that not written.
  static Result<std::unique_ptr<ExpectWatch>> open(const std::optional<ExpectRequest>& request,
                                                   const host::LinkReplayRequest& replay,
                                                   const std::optional<std::string>& received, const Host& host);

  // What is to be learned of those who answer, for the replay.
  const std::optional<net::LearnedFlows>& learned() const { return learned_; }
  // Hears of the replay's frames from now on; before it starts. It outlives the replay's last poll.
  void attach(host::LinkReplay& replay, double times_as_fast);

  const std::optional<net::ReplayLog>& log() const { return log_; }  // for a report only

  // It is over. None: nothing was expected.
  std::optional<net::ExpectVerdict> finish();
  // After finish(). Errors: the capture could not be written to the end.
  const Status& written() const { return written_; }
  // EINVAL: when frames are due cannot be known, which was asked for: those sent have no recorded time. The replay is
  // in vain.
  const Status& timed() const { return timed_; }
  const std::vector<std::string>& links() const { return links_; }
  // Of each link, after finish(), where something was expected.
  std::vector<net::ExpectVerdict> verdicts() const {
    return expectation_ ? expectation_->verdicts() : std::vector<net::ExpectVerdict>();
  }

 private:
  explicit ExpectWatch(ClockPort& clock) : clock_(clock) {}
  Status expect(const ExpectRequest& request, const host::LinkReplayRequest& replay, FilesPort& files);
  Status keep(const std::string& path, FilesPort& files);
  void sent(host::LinkReplay& replay, Bytes frame);
  void heard(host::LinkReplay& replay, net::ReplaySide at, Bytes frame, Bytes as_recorded);

  ClockPort& clock_;
  std::optional<net::LearnedFlows> learned_;
  std::vector<std::string> links_;
  std::optional<net::ExpectedSides> expectation_;
  double times_as_fast_ = 1;
  Time linger_{};
  bool has_window_ = false;
  std::unique_ptr<ByteSink> sink_;
  std::optional<net::CaptureWriter> writer_;
  std::optional<net::ReplayLog> log_;
  Status written_, timed_;
};

}  // namespace vif::tools
