// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/link_replay.hpp"

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
  auto wire = LinkWire::open(request.linkstr, host, *replay);
  if (!wire) return fail(wire.error().number(), request.linkstr + ": " + wire.error().text);
  replay->wire_ = std::move(*wire);
  net::ReplayFit fit{.frame_bytes_max = replay->wire_->caps().frame_bytes_max, .oversize = request.oversize};
  if (request.mtu_bytes) fit.mtu_bytes = *request.mtu_bytes;
  replay->replayer_.emplace(host.domain, *replay->source_, replay->live_, request.plan, fit);
  if (!request.select.insns().empty()) replay->replayer_->select(request.select);
  replay->replayer_->rewrite(request.rewriter);
  replay->replayer_->on_end = [self = replay.get()] { self->later_.schedule(self->domain_.now() + self->linger_); };
  return replay;
}

void LinkReplay::start() {
  if (wire_->link_state() != net::LinkState::down) replayer_->start();
  else later_.schedule(domain_.now() + carrier_wait_);
}

void LinkReplay::stop() {
  replayer_->stop();
  end();
}

void LinkReplay::set_linger(Time linger) {
  linger_ = linger;
  const bool is_sent = replayer_->state() == State::done || replayer_->state() == State::stopped;
  if (is_sent && !ended_) later_.schedule(domain_.now() + linger_);
}

net::ReplayWire::Sent LinkReplay::LiveWire::send(std::span<const Bytes> frames) {
  if (replay_.learned_) {
    scratch_.clear();
    live_.clear();
    for (const Bytes frame : frames) live_.push_back(replay_.learned_->as_live(frame, scratch_));
    frames = live_;
  }
  const Sent sent = replay_.wire_->send(frames);
  if (replay_.on_sent) {
    for (const Bytes frame : frames.first(sent.taken)) replay_.on_sent(frame);
  }
  return sent;
}

void LinkReplay::wire_received(Bytes frame) {
  recorded_.clear();
  const Bytes as_recorded = learned_ ? learned_->as_recorded(frame, recorded_) : frame;
  if (on_received) on_received(frame, as_recorded);
}

void LinkReplay::wire_link_changed(net::LinkState state, const Error* why) {
  if (!replayer_) return;
  if (state != net::LinkState::down) {
    if (!ended_ && replayer_->state() == State::idle && later_.pending()) {
      later_.cancel();
      replayer_->start();
    }
    return;
  }
  if (why == nullptr || ended_ || replayer_->state() == State::idle) return;
  if (replayer_->state() == State::running) error_ = "the link is down: " + why->text;
  replayer_->stop();
}

// No carrier came; or all is sent and heard.
void LinkReplay::timeout() {
  if (replayer_->state() == State::idle) {
    error_ = "the link has no carrier: expected the other end to come up within " +
             std::to_string(carrier_wait_ / std::chrono::seconds(1)) + " s";
  }
  end();
}

void LinkReplay::end() {
  if (std::exchange(ended_, true)) return;
  later_.cancel();
  if (on_end) on_end();
}

LinkReplayReport LinkReplay::finish() {
  wire_->close();
  LinkReplayReport report;
  report.totals = replayer_->totals();
  report.sending = wire_->sending();
  report.lost = wire_->lost_frames();
  report.received = wire_->received_frames();
  report.unreadable = wire_->unreadable_frames();
  report.backward = source_->backward_frames();
  report.untimed = source_->untimed_frames();
  report.error = error_;
  if (report.error.empty() && replayer_->error()) report.error = replayer_->error()->text;
  return report;
}

}  // namespace vif::host
