// SPDX-License-Identifier: BSD-2-Clause
// The replay engine: takes frames from a source and gives each to the wire when it is due, by the domain's clock.
//
// Every frame is accounted for: records = sent + failed + all of refused. A wire that is full delays what follows, on
// both wires where there are two; it is then sent as soon as the wire takes it, and the frames after it are due when
// they always were. A pass of which nothing is given to the wire is the last one: the next would be the same. Source
// and wires are borrowed and outlive the replayer. On the domain's thread.
#pragma once

#include <functional>

#include "netstack/domain.hpp"
#include "netstack/replay/frame_fitter.hpp"
#include "netstack/replay/frame_rewriter.hpp"
#include "netstack/replay/frame_selector.hpp"
#include "netstack/replay/frame_splitter.hpp"
#include "netstack/replay/replay_schedule.hpp"
#include "netstack/replay/replay_source.hpp"

namespace vif::net {

// Where frames go. hypercall/replay/ implements it on any link.
class ReplayWire {
 public:
  enum class Answer : std::uint8_t {
    ok,           // all taken
    would_block,  // the rest is offered again after Replayer::writable()
    refused,      // the first one not taken is not one for this wire: go on with the next
    down,         // the wire is gone for now: none of the rest goes
  };
  struct Sent {
    std::size_t taken = 0;  // from the front
    Answer answer = Answer::ok;
  };

  virtual ~ReplayWire() = default;
  // Takes frames, borrowed for the call, from the front as far as it can. Makes no upcall.
  virtual Sent send(std::span<const Bytes> frames) = 0;
};

// How late frames were, by powers of two: bucket 0 is below a microsecond, bucket n below 2^n. Not at top speed.
inline constexpr std::size_t kReplayLateBuckets = 32;

struct ReplayTotals {
  std::uint64_t records = 0;  // of the captures, in all passes, without those not selected
  std::uint64_t skipped = 0;  // not selected
  std::uint64_t sent = 0;     // of them, whole
  std::uint64_t failed = 0;   // of them: the wire did not take all of it
  std::array<std::uint64_t, kReplayRefusals> refused{};
  std::uint64_t truncated = 0, split = 0;         // of those sent or failed
  std::uint64_t wire_frames = 0, wire_bytes = 0;  // taken by the wire
  std::uint64_t passes = 0;                       // begun
  std::uint64_t backward = 0, untimed = 0;  // taken of the captures before their predecessor's time, or without one
  std::uint64_t times_blocked = 0;
  Time started{}, first_sent{}, last_sent{};  // by the domain's clock
  Time late_max{};
  std::array<std::uint64_t, kReplayLateBuckets> late_us{};
  // By how much the time between a record and the one before it was not what it was to be; likewise.
  Time gap_error_max{};
  std::array<std::uint64_t, kReplayLateBuckets> gap_error_us{};

  bool none_selected() const { return records == 0 && skipped > 0; }
  std::uint64_t count(ReplayRefusal why) const { return refused[static_cast<std::size_t>(why)]; }
};

class VIF_API Replayer {
 public:
  enum class State : std::uint8_t { idle, running, done, stopped };

  Replayer(Domain& domain, ReplaySource& source, ReplayWire& wire, const ReplayPlan& plan, const ReplayFit& fit);
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  // Only frames that the filter wants are sent; and they are rewritten first. Before start().
  void select(BpfProgram wanted) { selector_.emplace(std::move(wanted)); }
  void rewrite(FrameRewriter rewriter) { rewriter_ = std::move(rewriter); }
  // What servers sent, as it was recorded, goes to a wire of its own, borrowed likewise. Before start().
  void split(FrameSplitter splitter, ReplayWire& servers) {
    splitter_.emplace(std::move(splitter));
    wires_[index_of(ReplaySide::servers)] = &servers;
  }

  // Begins at once: frames are due counted from the domain's time now, or from `at`. Once.
  void start();
  void start(Time at);
  // A wire takes frames again. Harmless at any other time.
  void writable();
  // The source has more (ReplaySource's EAGAIN). Harmless at any other time.
  void readable();
  // Ends it: what is not sent is not a record of this replay. Harmless when it has ended.
  void stop();
  // When the plan's duration was over, not all that was due by then had been sent; what of it was waiting for the wire
  // has failed.
  bool overdue() const { return overdue_; }

  State state() const { return state_; }
  const ReplayTotals& totals() const { return totals_; }
  // Why a pass ended early: what of the captures could not be read. Empty: nothing was wrong.
  const std::optional<Error>& error() const { return error_; }
  // Called once, when it is done or stopped.
  std::function<void()> on_end;

 private:
  struct Piece {
    Piece(bool ends, Time due_at, ReplaySide of) : due(due_at), side(of), ends_record(ends) {}
    Time due;  // of its record, from the start
    ReplaySide side;
    bool ends_record;  // the last of its record
  };
  static constexpr std::size_t kBurstFrames = 32;
  static constexpr std::size_t kBudgetRecords = 1024;  // before others get their turn
  // So much later than the duration what is due at its end may still be sent.
  static constexpr Time kGrace = std::chrono::milliseconds(100);

  void run();
  void fill();
  bool fetch();
  bool next_pass();
  bool prepare(const ReplayFrame& frame, Time due);
  std::span<const Bytes> next_run() const;
  CaptureFrame rewritten(const CaptureFrame& record);
  bool send_burst();
  void took(std::size_t pieces);
  void not_taken();
  void finish_record();
  void deadline();
  void end(State state);

  Domain& domain_;
  ReplaySource& source_;
  std::array<ReplayWire*, kReplaySides> wires_;
  const ReplayPlan plan_;
  FrameFitter fitter_;
  FrameRewriter rewriter_;
  std::optional<FrameSelector> selector_;
  std::optional<FrameSplitter> splitter_;
  ReplaySchedule schedule_;
  Callout next_, deadline_;
  State state_ = State::idle;
  ReplayTotals totals_;
  std::optional<Error> error_;

  std::span<const ReplayFrame> batch_;  // of the source
  std::size_t at_ = 0;                  // [at_, end) of it is still to come
  bool placed_ = false;                 // the schedule is at batch_[at_]
  bool waiting_ = false;                // for the source
  bool finished_ = false;               // nothing follows the burst
  std::uint64_t given_ = 0;             // records prepared, not refused
  std::uint64_t given_before_ = 0;      // this pass
  std::size_t budget_ = 0;

  Scratch scratch_;
  std::vector<Bytes> burst_;   // [burst_at_, end) is still to be sent
  std::vector<Piece> pieces_;  // beside it
  std::size_t burst_at_ = 0;
  bool blocked_ = false;
  bool overdue_ = false;
  bool record_failed_ = false;     // a piece of the record being sent was not taken
  std::optional<Time> last_late_;  // of the record before
};

}  // namespace vif::net
