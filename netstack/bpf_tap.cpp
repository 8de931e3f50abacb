// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bpf_tap.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace vif::net {
namespace {

bool wants(BpfDirections wanted, BpfDirection direction) {
  return wanted == BpfDirections::both || (wanted == BpfDirections::in) == (direction == BpfDirection::in);
}

}  // namespace

BpfTaps::~BpfTaps() { assert(walking_ == 0); }

BpfTaps::Id BpfTaps::attach(BpfSink& sink, BpfProgram program, BpfDirections directions) {
  listeners_.push_back(
      std::make_unique<Listener>(Listener{++last_id_, &sink, std::move(program), directions, BpfStats{}}));
  return last_id_;
}

void BpfTaps::detach(Id id) {
  find(id).sink = nullptr;
  detached_ = true;
  if (walking_ == 0) remove_detached();
}

void BpfTaps::set_program(Id id, BpfProgram program) {
  Listener& listener = find(id);
  listener.program = std::move(program);
  listener.stats = {};
}

BpfStats BpfTaps::stats(Id id) const { return find(id).stats; }

void BpfTaps::show(const Mbuf& packet, BpfDirection direction) {
  ++walking_;
  const std::size_t attached = listeners_.size();  // those who join meanwhile begin with the next frame
  for (std::size_t i = 0; i < attached; ++i) {
    Listener& listener = *listeners_[i];
    if (listener.sink == nullptr || !wants(listener.directions, direction)) continue;
    ++listener.stats.seen;
    const std::uint32_t keep_bytes = bpf_filter(listener.program, packet);
    if (keep_bytes == 0) continue;
    ++listener.stats.matched;
    listener.sink->tap(packet, direction, std::min(keep_bytes, bpf_frame_bytes(packet)));
  }
  if (--walking_ == 0 && detached_) remove_detached();
}

BpfTaps::Listener& BpfTaps::find(Id id) const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [id](const auto& listener) { return listener->id == id && listener->sink; });
  assert(found != listeners_.end());
  return **found;
}

void BpfTaps::remove_detached() {
  std::erase_if(listeners_, [](const auto& listener) { return listener->sink == nullptr; });
  detached_ = false;
}

}  // namespace vif::net
