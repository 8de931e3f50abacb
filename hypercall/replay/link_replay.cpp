// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/link_replay.hpp"

#include <algorithm>
#include <numeric>

namespace vif::host {

using State = net::Replayer::State;

std::uint64_t LinkReplayReport::refused() const {
  return std::accumulate(totals.refused.begin(), totals.refused.end(), std::uint64_t{0});
}

Result<std::unique_ptr<LinkReplay>> LinkReplay::open(const LinkReplayRequest& request, FilesPort& files,
                                                     const LinkWire::Host& host) {
  std::unique_ptr<LinkReplay> replay(new LinkReplay(host.domain, request));
  auto source = net::MergedCaptures::open(files, request.captures);
  if (!source) return std::move(source).error();
  replay->source_ = std::move(*source);
  if (Status opened = replay->open_links(request, host); !opened) return std::move(opened).error();
  net::ReplayFit fit{.oversize = request.oversize};
  for (const auto& side : replay->sides_) {
    fit.frame_bytes_max = std::min(fit.frame_bytes_max, side->wire().caps().frame_bytes_max);
  }
  if (request.mtu_bytes) fit.mtu_bytes = *request.mtu_bytes;
  replay->replayer_.emplace(host.domain, *replay->source_, *replay->sides_.front(), request.plan, fit);
  if (request.split) replay->replayer_->split(request.split->rule, *replay->sides_.back());
  if (!request.select.insns().empty()) replay->replayer_->select(request.select);
  replay->replayer_->rewrite(request.rewriter);
  replay->replayer_->on_end = [self = replay.get()] { self->later_.schedule(self->domain_.now() + self->linger_); };
  return replay;
}

Status LinkReplay::open_links(const LinkReplayRequest& request, const LinkWire::Host& host) {
  sides_.push_back(std::make_unique<Side>(*this, net::ReplaySide::clients, request.linkstr));
  if (request.split) {
    sides_.push_back(std::make_unique<Side>(*this, net::ReplaySide::servers, request.split->servers));
  }
  for (const auto& side : sides_) {
    if (Status opened = side->open(host); !opened) return opened;
  }
  return {};
}

Status LinkReplay::Side::open(const LinkWire::Host& host) {
  auto wire = LinkWire::open(linkstr_, host, *this);
  if (!wire) return fail(wire.error().number(), linkstr_ + ": " + wire.error().text);
  wire_ = std::move(*wire);
  return {};
}

// Null: all have one.
LinkReplay::Side* LinkReplay::without_carrier() {
  const auto at = std::find_if(sides_.begin(), sides_.end(),
                               [](const auto& side) { return side->wire().link_state() == net::LinkState::down; });
  return at == sides_.end() ? nullptr : at->get();
}

void LinkReplay::start() {
  if (without_carrier() == nullptr) replayer_->start();
  else later_.schedule(domain_.now() + carrier_wait_);
}

void LinkReplay::readable() {
  replayer_->readable();
  for (const auto& side : sides_) side->wire().ready();
}

void LinkReplay::stop() {
  replayer_->stop();
  end();
}

void LinkReplay::satisfied(Time linger) {
  linger_ = std::max(linger, kSettle);
  link_may_go_ = link_may_go_ || linger == Time(0);
  const bool is_sent = replayer_->state() == State::done || replayer_->state() == State::stopped;
  if (is_sent && !ended_) later_.schedule(domain_.now() + linger_);
}

net::ReplayWire::Sent LinkReplay::Side::send(std::span<const Bytes> frames) {
  if (replay_.learned_) {
    scratch_.clear();
    live_.clear();
    for (const Bytes frame : frames) live_.push_back(replay_.learned_->as_live(frame, scratch_));
    frames = live_;
  }
  const Sent sent = wire_->send(frames);
  if (replay_.on_sent) {
    for (const Bytes frame : frames.first(sent.taken)) replay_.on_sent(side_, frame);
  }
  return sent;
}

void LinkReplay::received(net::ReplaySide at, Bytes frame) {
  recorded_.clear();
  const Bytes as_recorded = learned_ ? learned_->as_recorded(frame, recorded_) : frame;
  if (on_received) on_received(at, frame, as_recorded);
}

void LinkReplay::link_changed(Side& side, net::LinkState state) {
  if (!replayer_) return;
  if (state != net::LinkState::down) {
    if (!ended_ && replayer_->state() == State::idle && later_.pending() && without_carrier() == nullptr) {
      later_.cancel();
      replayer_->start();
    }
    return;
  }
  if (side.why_down().empty() || ended_ || replayer_->state() == State::idle) return;
  const bool is_needed = replayer_->state() == State::running || (linger_ > Time(0) && !link_may_go_);
  if (is_needed) error_ = side.linkstr() + " is down: " + side.why_down();
  stop();
}

// No carrier came; or all is sent and heard.
void LinkReplay::timeout() {
  if (replayer_->state() == State::idle) {
    const Side* const side = without_carrier();
    error_ = (side == nullptr ? "the link" : side->linkstr()) +
             " has no carrier: expected the other end to come up within " +
             std::to_string(carrier_wait_ / std::chrono::seconds(1)) + " s";
    if (side != nullptr && !side->why_down().empty()) error_ += "; " + side->why_down();
  }
  end();
}

void LinkReplay::end() {
  if (std::exchange(ended_, true)) return;
  later_.cancel();
  if (on_end) on_end();
}

LinkReplayReport LinkReplay::finish() {
  LinkReplayReport report;
  report.totals = replayer_->totals();
  std::optional<Time> first, last;
  for (const auto& side : sides_) {
    LinkWire& wire = side->wire();
    wire.close();
    report.lost += wire.lost_frames();
    const std::uint64_t received = wire.received_frames() - side->received_before();
    report.received += received;
    report.received_before += side->received_before();
    report.unreadable += wire.unreadable_frames();
    report.links.push_back({side->linkstr(), wire.sent_frames(), wire.sent_bytes(), received, wire.lost_frames()});
    if (wire.sent_frames() == 0) continue;
    first = std::min(first.value_or(wire.first_sent()), wire.first_sent());
    last = std::max(last.value_or(wire.last_sent()), wire.last_sent());
  }
  if (first) report.sending = *last - *first;
  report.early = replayer_->state() != State::done || replayer_->overdue();
  report.error = error_;
  const auto& failed = replayer_->error();
  if (report.error.empty() && failed) report.error = failed->text;
  if (report.error.empty() && replayer_->overdue()) {
    report.error = "the duration was over before all that was due had been sent: the link did not take it in time";
  }
  if (report.error.empty() && replayer_->state() == State::done && report.totals.none_selected()) {
    report.error =
        "none of the " + std::to_string(report.totals.skipped) + " frames was sent: the filter selects none of them";
  }
  const bool had_none = report.totals.records + report.totals.skipped == 0;
  if (report.error.empty() && replayer_->state() == State::done && had_none) {
    report.error = "no frame was sent: the captures hold none";
  }
  return report;
}

}  // namespace vif::host
