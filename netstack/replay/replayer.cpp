// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replayer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace vif::net {
namespace {

std::size_t bucket_of(Time time) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)) / 1000;
  return std::min(static_cast<std::size_t>(std::bit_width(us)), kReplayLateBuckets - 1);
}

}  // namespace

Replayer::Replayer(Domain& domain, ReplaySource& source, ReplayWire& wire, const ReplayPlan& plan, const ReplayFit& fit)
    : domain_(domain),
      source_(source),
      wires_{&wire, &wire},
      plan_(plan),
      fitter_(fit, domain.pool()),
      schedule_(plan.speed, plan.gap_max),
      next_(domain.callouts(), [this] { run(); }),
      deadline_(domain.callouts(), [this] { deadline(); }) {
  burst_.reserve(kBurstFrames);
  pieces_.reserve(kBurstFrames);
}

void Replayer::start() { start(domain_.now()); }

void Replayer::start(Time at) {
  state_ = State::running;
  totals_.started = at;
  totals_.passes = 1;
  next_.schedule(at);
  if (!plan_.duration) return;
  const bool is_top = plan_.speed.kind == ReplaySpeed::Kind::top;
  deadline_.schedule(at + *plan_.duration + (is_top ? Time(0) : kGrace));
}

void Replayer::writable() {
  if (!blocked_ || state_ != State::running) return;
  blocked_ = false;
  next_.schedule(domain_.now());
}

void Replayer::readable() {
  if (!std::exchange(waiting_, false) || state_ != State::running) return;
  next_.schedule(domain_.now());
}

void Replayer::stop() {
  if (state_ == State::running) end(State::stopped);
}

// However full the wire is. At top speed all that follows is due, always: that is not sent, as it was not asked for;
// nor is what a pipe has not said yet.
void Replayer::deadline() {
  overdue_ = plan_.speed.kind != ReplaySpeed::Kind::top && !waiting_;
  while (overdue_ && burst_at_ < burst_.size()) not_taken();
  end(State::done);
}

void Replayer::run() {
  for (budget_ = kBudgetRecords; budget_ > 0;) {
    if (!send_burst()) return;  // blocked
    fill();
    if (!burst_.empty()) continue;
    if (finished_) return end(State::done);
    if (waiting_) return;
    if (budget_ > 0) return next_.schedule(totals_.started + schedule_.due());
  }
  next_.schedule(domain_.now());
}

// Prepares what is due by now, at most a burst of it. Afterwards the burst is empty only when nothing is due, nothing
// follows yet or ever, or the budget is spent.
void Replayer::fill() {
  scratch_.clear();
  burst_.clear();
  pieces_.clear();
  burst_at_ = 0;
  for (; burst_.size() < kBurstFrames && budget_ > 0; --budget_) {
    finished_ = given_ >= plan_.frames_max;
    if (finished_) return;
    if (at_ == batch_.size() && (!burst_.empty() || !fetch())) return;  // reading moves the bytes of the burst
    const ReplayFrame& frame = batch_[at_];
    if (!placed_) schedule_.next(frame.time_ns);
    placed_ = true;
    const Time due = schedule_.due();
    finished_ = plan_.duration && due > *plan_.duration;
    if (finished_ || totals_.started + due > domain_.now()) return;
    ++at_;
    placed_ = false;
    if (!frame.record.has_time) ++totals_.untimed;
    else if (frame.record.timestamp_ns < *frame.time_ns) ++totals_.backward;
    if (prepare(frame, due)) ++given_;
  }
}

// False: there is no other frame, and finished_ says so; or not yet, which waiting_ does.
bool Replayer::fetch() {
  at_ = 0;
  batch_ = {};
  while (batch_.empty()) {
    const Result<std::span<const ReplayFrame>> read = source_.read();
    waiting_ = !read && read.error().number() == EAGAIN;
    if (waiting_) return false;
    if (!read && !error_) error_ = read.error();
    if (read && !read->empty()) {
      batch_ = *read;
    } else if (!next_pass()) {
      finished_ = true;
      return false;
    }
  }
  return true;
}

bool Replayer::next_pass() {
  const bool was_vain = given_ == given_before_;  // and would be for ever
  given_before_ = given_;
  if (was_vain || error_ || totals_.passes == plan_.passes) return false;
  if (Status again = source_.rewind(); !again) {
    error_ = again.error();
    return false;
  }
  schedule_.next_pass();
  if (splitter_) splitter_->restart();
  ++totals_.passes;
  return true;
}

// False: not wanted or refused, and counted.
bool Replayer::prepare(const ReplayFrame& frame, Time due) {
  const bool is_split = splitter_ && frame.record.link_type == kLinkTypeEthernet;  // other bytes say of nobody
  const ReplaySide side =
      is_split ? splitter_->side_of(frame.record.bytes, frame.record.interface) : ReplaySide::clients;
  if (selector_ && !selector_->wants(frame.record.bytes)) {
    ++totals_.skipped;
    return false;
  }
  const std::size_t before = burst_.size();
  const std::optional<ReplayRefusal> why = rewriter_.empty() ? fitter_.fit(frame.record, scratch_, burst_)
                                                             : fitter_.fit(rewritten(frame.record), scratch_, burst_);
  if (why) {
    ++totals_.records;
    ++totals_.refused[static_cast<std::size_t>(*why)];
    return false;
  }
  std::uint64_t bytes = 0;
  for (const Bytes piece : std::span(burst_).subspan(before)) bytes += piece.size();
  schedule_.sent(burst_.size() - before, bytes);
  for (std::size_t at = before; at < burst_.size(); ++at) pieces_.emplace_back(at + 1 == burst_.size(), due, side);
  if (fitter_.last_change() == FrameFitter::Change::truncated) ++totals_.truncated;
  if (fitter_.last_change() == FrameFitter::Change::split) ++totals_.split;
  return true;
}

// As it is to be sent; what the capture does not hold whole will not be.
CaptureFrame Replayer::rewritten(const CaptureFrame& record) {
  const bool is_whole = record.link_type == kLinkTypeEthernet && record.wire_bytes <= record.bytes.size();
  if (!is_whole) return record;
  CaptureFrame changed = record;
  changed.bytes = rewriter_.rewrite(record.bytes, scratch_);
  changed.wire_bytes = static_cast<std::uint32_t>(changed.bytes.size());
  return changed;
}

// The next frames that go to the same wire.
std::span<const Bytes> Replayer::next_run() const {
  std::size_t end = burst_at_ + 1;
  while (end < burst_.size() && pieces_[end].side == pieces_[burst_at_].side) ++end;
  return std::span(burst_).subspan(burst_at_, end - burst_at_);
}

// False: the wire is full, writable() goes on.
bool Replayer::send_burst() {
  while (burst_at_ < burst_.size()) {
    const std::span<const Bytes> run = next_run();
    const ReplayWire::Sent sent = wires_[index_of(pieces_[burst_at_].side)]->send(run);
    took(sent.taken);
    switch (sent.answer) {
      case ReplayWire::Answer::ok:
        break;
      case ReplayWire::Answer::would_block:
        blocked_ = true;
        ++totals_.times_blocked;
        return false;
      case ReplayWire::Answer::refused:
        not_taken();
        break;
      case ReplayWire::Answer::down:
        for (std::size_t left = run.size() - sent.taken; left > 0; --left) not_taken();
        break;
    }
  }
  return true;
}

void Replayer::took(std::size_t pieces) {
  if (pieces == 0) return;
  if (totals_.wire_frames == 0) totals_.first_sent = domain_.now();
  totals_.last_sent = domain_.now();
  totals_.wire_frames += pieces;
  for (; pieces > 0; --pieces) {
    totals_.wire_bytes += burst_[burst_at_].size();
    if (pieces_[burst_at_++].ends_record) finish_record();
  }
}

void Replayer::not_taken() {
  record_failed_ = true;
  if (pieces_[burst_at_++].ends_record) finish_record();
}

void Replayer::finish_record() {
  ++totals_.records;
  ++(record_failed_ ? totals_.failed : totals_.sent);
  record_failed_ = false;
  if (plan_.speed.kind == ReplaySpeed::Kind::top) return;  // all is due at once
  const Time late = domain_.now() - totals_.started - pieces_[burst_at_ - 1].due;
  totals_.late_max = std::max(totals_.late_max, late);
  ++totals_.late_us[bucket_of(late)];
  if (last_late_) {
    const Time error = std::max(late - *last_late_, *last_late_ - late);
    totals_.gap_error_max = std::max(totals_.gap_error_max, error);
    ++totals_.gap_error_us[bucket_of(error)];
  }
  last_late_ = late;
}

void Replayer::end(State state) {
  // Of a record in several frames a part may be on the wire.
  const bool begun = burst_at_ > 0 && burst_at_ < pieces_.size() && !pieces_[burst_at_ - 1].ends_record;
  if (begun) {
    record_failed_ = true;
    finish_record();
  }
  next_.cancel();
  deadline_.cancel();
  blocked_ = false;
  state_ = state;
  if (on_end) on_end();
}

}  // namespace vif::net
