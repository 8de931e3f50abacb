// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/sim_link.hpp"

#include <algorithm>
#include <utility>

#include "hypercall/fitting.hpp"

namespace vif::host::sim {
namespace {

// The error, which then has been given.
Error take(std::optional<Error>& scripted) {
  Error error = std::move(*scripted);
  scripted.reset();
  return error;
}

}  // namespace

void SimWire::arrive(Frame frame, net::Offload offload, std::int64_t timestamp_ns) {
  if (sink_ == nullptr) return;
  arrivals_.push_back({std::move(frame), offload, timestamp_ns});
  sink_->ready();
}

void SimWire::carrier(net::LinkState state, std::optional<Error> why) {
  if (!open) return;
  carriers_.emplace_back(state, std::move(why));
  if (sink_ != nullptr) sink_->ready();
}

void SimWire::lose(DropReason reason, std::uint64_t frames) {
  if (sink_ == nullptr) return;
  losses_.emplace_back(reason, frames);
  sink_->ready();
}

void SimWire::recapped() {
  recapped_ = true;
  if (sink_ != nullptr) sink_->ready();
}

void SimWire::writable() {
  if (sink_ != nullptr) sink_->ready();
}

class SimLink final : public drv::LinkPort, public drv::LinkDying {
 public:
  explicit SimLink(SimWire& wire) : wire_(wire) { wire_.open = true; }
  ~SimLink() override {
    wire_.calls.push_back("close");
    wire_.open = false;
    wire_.carriers_.clear();
  }

  Status start(drv::LinkSink& sink) override {
    wire_.calls.push_back("start");
    if (wire_.start_error) return take(wire_.start_error);
    wire_.sink_ = &sink;
    wire_.started = true;
    return {};
  }

  void stop() override {
    wire_.calls.push_back("stop");
    wire_.sink_ = nullptr;
    wire_.started = false;
    wire_.arrivals_.clear();
    wire_.losses_.clear();
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    ++wire_.send_calls;
    drv::SendResult answer = fitting(frames, wire_.caps.frame_bytes_max);
    if (!wire_.send_answers.empty()) {
      answer = wire_.send_answers.front();
      wire_.send_answers.pop_front();
      answer.taken = std::min(answer.taken, frames.size());
      if (answer.taken == frames.size()) answer.status = drv::SendStatus::ok;
    }
    for (const drv::TxFrame& frame : frames.first(answer.taken)) record(frame);
    return answer;
  }

  bool drain(std::size_t budget) override {
    if (std::exchange(wire_.recapped_, false)) wire_.sink_->caps_changed(wire_.caps);
    for (const auto& [state, why] : std::exchange(wire_.carriers_, {})) {
      wire_.sink_->link_changed(state, why ? &*why : nullptr);
    }
    for (const auto& [reason, frames] : std::exchange(wire_.losses_, {})) wire_.sink_->lost(reason, frames);
    // Taken off the wire first: what an upcall puts on it is for later.
    std::vector<SimWire::Arrival> burst;
    for (; burst.size() < budget && !wire_.arrivals_.empty(); wire_.arrivals_.pop_front()) {
      burst.push_back(std::move(wire_.arrivals_.front()));
    }
    std::vector<drv::RxFrame> frames;
    for (const SimWire::Arrival& a : burst) frames.push_back({a.bytes, 0, a.timestamp_ns, a.offload});
    if (!frames.empty()) wire_.sink_->deliver(frames);
    return !wire_.arrivals_.empty();
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override {
    wire_.calls.push_back("filter");
    wire_.filter = {filter.lladdr, filter.promisc, filter.allmulti, {filter.groups.begin(), filter.groups.end()}};
  }

  Status dying() override {
    wire_.calls.push_back("dying");
    if (wire_.dying_error) return *wire_.dying_error;
    return {};
  }

 private:
  void record(const drv::TxFrame& frame) {
    SimWire::Frame whole;
    for (const Bytes slice : frame.slices) whole.insert(whole.end(), slice.begin(), slice.end());
    wire_.sent.push_back(std::move(whole));
    wire_.sent_slices.push_back(frame.slices.size());
    wire_.sent_offload.push_back(frame.offload);
  }

  SimWire& wire_;
};

SimWire& SimWires::wire(const std::string& name) {
  std::unique_ptr<SimWire>& wire = wires_[name];
  if (!wire) wire = std::make_unique<SimWire>();
  return *wire;
}

Status SimWires::check(const drv::Linkstr& linkstr) const {
  if (linkstr.scheme != "sim") {
    return fail(std::errc::invalid_argument, "no backend for '" + linkstr.scheme + ":': known are sim");
  }
  if (!linkstr.options.empty()) {
    return fail(std::errc::invalid_argument, "sim: has no option '" + linkstr.options.front().key + "'");
  }
  return {};
}

Result<drv::OpenLink> SimWires::open(const drv::Linkstr& linkstr, const drv::LinkOwner&) {
  if (Status fits = check(linkstr); !fits) return std::move(fits).error();
  SimWire& wire = this->wire(linkstr.argument);
  wire.calls.push_back("open");
  if (wire.open) return fail(std::errc::device_or_resource_busy, "sim:" + linkstr.argument + " is taken");
  if (wire.open_error) return take(wire.open_error);
  auto link = std::make_unique<SimLink>(wire);
  drv::LinkDying* const dying = wire.may_refuse_dying ? link.get() : nullptr;
  return drv::OpenLink{std::move(link), wire.caps, dying};
}

}  // namespace vif::host::sim
