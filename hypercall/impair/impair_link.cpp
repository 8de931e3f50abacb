// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/impair/impair_link.hpp"

#include <algorithm>
#include <array>

#include "hypercall/fitting.hpp"
#include "hypercall/impair/impairment.hpp"
#include "netstack/base/splitmix.hpp"
#include "netstack/domain.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBurst = 32;

// Between a driver, whose port it is, and another link, whose driver it plays.
class ImpairLink final : public drv::LinkPort, private drv::LinkSink {
 public:
  ImpairLink(drv::OpenLink inner, const ImpairRequest& request, net::Domain& domain, ClockPort& clock)
      : inner_(std::move(inner.port)),
        frame_bytes_max_(inner.caps.frame_bytes_max),
        clock_(clock),
        in_(request.in, splitmix64(*request.seed, 0)),
        out_(request.out, splitmix64(*request.seed, 1)),
        timer_(domain.callouts(), [this] { sink_->ready(); }) {}

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    Status started = inner_->start(*this);
    if (!started) sink_ = nullptr;
    return started;
  }

  void stop() override {
    if (sink_ == nullptr) return;
    inner_->stop();
    timer_.cancel();
    tell_losses();
    tell(DropReason::not_running, in_.clear());
    tell(DropReason::tx_error, out_.clear());
    blocked_ = false;
    sink_ = nullptr;
  }

  // What is taken waits here, if only for the call. While the inner link takes nothing, neither do we.
  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    if (out_.off()) return inner_->send(frames);
    if (blocked_) return {0, drv::SendStatus::would_block};
    const auto end =
        std::find_if_not(frames.begin(), frames.end(), [this](const drv::TxFrame& f) { return may_fit(f); });
    const Time now = clock_.now();
    for (const drv::TxFrame& frame : std::span(frames.begin(), end)) out_.offer(frame, {}, now);
    send_due(now);
    if (out_.dropped() || failed_ > 0) sink_->ready();  // to be told in drain
    set_timer();
    return {static_cast<std::size_t>(end - frames.begin()),
            end == frames.end() ? drv::SendStatus::ok : drv::SendStatus::message_size};
  }

  bool drain(std::size_t budget) override {
    now_ = clock_.now();
    send_due(now_);
    std::size_t left = budget - deliver_due(budget);
    bool more = left == 0;
    if (left > 0) {
      more = inner_->drain(left);
      deliver_due(left);
    }
    tell_losses();
    set_timer();
    return more || in_.due(now_);
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override { inner_->set_receive_filter(filter); }

 private:
  // LinkSink, of the inner link
  void deliver(std::span<const drv::RxFrame> frames) override {
    if (in_.off()) return sink_->deliver(frames);
    for (const drv::RxFrame& frame : frames) {
      in_.offer({{&frame.bytes, 1}, static_cast<std::uint32_t>(frame.bytes.size()), frame.offload},
                {frame.wire_bytes, frame.timestamp_ns}, now_);
    }
  }
  void ready() override { sink_->ready(); }
  void link_changed(net::LinkState state, const Error* why) override { sink_->link_changed(state, why); }
  void caps_changed(const drv::LinkCaps& caps) override {
    frame_bytes_max_ = caps.frame_bytes_max;
    sink_->caps_changed(caps);
  }
  void lost(DropReason reason, std::uint64_t frames) override { sink_->lost(reason, frames); }

  // Whether the inner link takes a tag on top of its largest frame, and how much it cuts, it says when it gets it.
  bool may_fit(const drv::TxFrame& frame) const {
    return frame.offload.is_super_frame() || fits_with_tag(frame, frame_bytes_max_);
  }
  std::size_t deliver_due(std::size_t budget);
  void send_due(Time now);
  std::size_t send_burst(std::span<const WaitingFrame> waiting);
  void set_timer();

  void tell(DropReason reason, std::uint64_t frames) {
    if (frames > 0) sink_->lost(reason, frames);
  }
  void tell_losses() {
    tell(DropReason::rx_impaired, in_.take_dropped());
    tell(DropReason::tx_impaired, out_.take_dropped());
    tell(DropReason::tx_error, std::exchange(failed_, 0));
  }

  const std::unique_ptr<drv::LinkPort> inner_;
  std::uint32_t frame_bytes_max_;
  ClockPort& clock_;
  Impairment in_, out_;
  Callout timer_;                  // for the frame that is due next
  drv::LinkSink* sink_ = nullptr;  // null: stopped
  Time now_{};                     // of this drain
  std::uint64_t failed_ = 0;       // sent late, and refused
  bool blocked_ = false;           // the inner link takes nothing before its ready()
};

// At most `budget`; how many there were.
std::size_t ImpairLink::deliver_due(std::size_t budget) {
  if (!in_.due(now_)) return 0;
  std::array<WaitingFrame, kBurst> waiting;
  std::array<drv::RxFrame, kBurst> frames;
  std::size_t delivered = 0;
  while (delivered < budget) {
    const std::size_t n = in_.take_due(now_, std::span(waiting).first(std::min(kBurst, budget - delivered)));
    if (n == 0) break;
    for (std::size_t i = 0; i < n; ++i) {
      const net::PktHdr& header = waiting[i].packet->pkthdr;
      frames[i] = {waiting[i].packet->bytes(), header.wire_len, header.timestamp_ns, header.offload};
    }
    sink_->deliver(std::span(frames).first(n));
    delivered += n;
  }
  return delivered;
}

void ImpairLink::send_due(Time now) {
  blocked_ = false;
  if (!out_.due(now)) return;
  std::array<WaitingFrame, kBurst> waiting;
  while (!blocked_) {
    const std::size_t n = out_.take_due(now, waiting);
    if (n == 0) return;
    for (std::size_t i = send_burst(std::span(waiting).first(n)); i < n; ++i) out_.put_back(std::move(waiting[i]));
  }
}

// How many of them are done with, from the front: sent, or failed.
std::size_t ImpairLink::send_burst(std::span<const WaitingFrame> waiting) {
  std::array<Bytes, kBurst> bytes;
  std::array<drv::TxFrame, kBurst> frames;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    bytes[i] = waiting[i].packet->bytes();
    frames[i] = {{&bytes[i], 1}, waiting[i].packet->pkthdr.len, waiting[i].packet->pkthdr.offload};
  }
  const drv::SendResult result = inner_->send(std::span(frames).first(waiting.size()));
  std::size_t done = result.taken;
  const auto fail_next = [&] { failed_ += waiting[done++].duplicate ? 0U : 1U; };
  switch (result.status) {
    case drv::SendStatus::ok:
      break;
    case drv::SendStatus::would_block:
      blocked_ = true;
      break;
    case drv::SendStatus::message_size:
      fail_next();
      break;
    case drv::SendStatus::network_down:
      while (done < waiting.size()) fail_next();
      break;
  }
  return done;
}

void ImpairLink::set_timer() {
  std::optional<Time> next = in_.next_due();
  if (const auto out = out_.next_due(); out && !blocked_ && (!next || *out < *next)) next = out;
  if (next) timer_.schedule(*next);
  else timer_.cancel();
}

Result<drv::Linkstr> inner_linkstr(const drv::Linkstr& linkstr) {
  if (!linkstr.argument_nested) {
    return fail(std::errc::invalid_argument,
                "impair: needs a link string in brackets after the colon, as in impair:[mem:lan0],loss=1%");
  }
  Result<drv::Linkstr> inner = drv::Linkstr::parse(linkstr.argument);
  if (!inner) return fail(inner.error().number(), "inside impair:[...]: " + inner.error().text);
  return inner;
}

}  // namespace

Result<drv::OpenLink> open_impair_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner,
                                       const ImpairPorts& ports) {
  const Result<drv::Linkstr> inner = inner_linkstr(linkstr);
  if (!inner) return inner.error();
  Result<ImpairRequest> request = parse_impair(linkstr);
  if (!request) return std::move(request).error();
  if (!request->seed) request->seed = owner.domain.random().next();
  Result<drv::OpenLink> opened = ports.schemes.open(*inner, owner);
  if (!opened) return std::move(opened).error();

  std::string chosen = "seed " + std::to_string(*request->seed) + ", over " + inner->scheme + ":";
  if (!opened->chosen.empty()) chosen += ' ' + opened->chosen;
  const drv::LinkCaps caps = opened->caps;
  drv::LinkDying* const dying = opened->dying;  // part of the inner port, which goes with ours
  auto link = std::make_unique<ImpairLink>(std::move(*opened), *request, owner.domain, ports.clock);
  return drv::OpenLink{std::move(link), caps, dying, std::move(chosen)};
}

}  // namespace vif::host
