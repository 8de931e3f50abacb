// SPDX-License-Identifier: BSD-2-Clause
// Captures replayed on a link: waits for the carrier, plays, listens a while, and says what became of each frame.
//
// Works on every host: with a Loop in real time, with the simulated host in virtual time. On the domain's thread.
#pragma once

#include <functional>

#include "hypercall/replay/link_wire.hpp"

namespace vif::host {

struct LinkReplayRequest {
  std::vector<std::string> captures = {};  // merged by time
  std::string linkstr = {};
  net::ReplayPlan plan = {};
  net::BpfProgram select = {};                  // only these frames are sent
  net::FrameRewriter rewriter = {};             // changed like this
  std::optional<std::uint32_t> mtu_bytes = {};  // none: what the link takes
  net::ReplayOversize oversize = net::ReplayOversize::refuse;
  Time carrier_wait = std::chrono::seconds(10);  // at most, before the first frame
  Time linger{};                                 // listens so long after the last frame
};

struct LinkReplayReport {
  net::ReplayTotals totals;
  Time sending{};          // from the first frame to the last, by the host's clock
  std::uint64_t lost = 0;  // of totals.wire_frames: taken by the backend, and lost by it later
  std::uint64_t received = 0, unreadable = 0;
  std::uint64_t backward = 0, untimed = 0;  // recorded before the frame they follow, or without a time
  std::string error;                        // empty: the captures were read whole, and the link stayed

  std::uint64_t refused() const;
  // Every record of the captures reached the link, whole.
  bool complete() const { return error.empty() && totals.failed + lost + refused() + totals.truncated == 0; }
  double seconds() const { return std::chrono::duration<double>(sending).count(); }
};

class LinkReplay final : private WireListener {
 public:
  // Errors: the captures or the link cannot be opened. All ports outlive it.
  static Result<std::unique_ptr<LinkReplay>> open(const LinkReplayRequest& request, FilesPort& files,
                                                  const LinkWire::Host& host);

  // Plays once the carrier is there; on_end is called when it is over.
  void start();
  // Ends it now: what was sent stays sent, and is reported. Harmless when it has ended.
  void stop();
  bool ended() const { return ended_; }
  // Listens only so long after the last frame from now on.
  void set_linger(Time linger);

  Time since_start() const { return domain_.now() - totals().started; }
  std::optional<std::int64_t> first_time_ns() const { return source_->first_time_ns(); }  // as MergedCaptures

  const net::ReplayTotals& totals() const { return replayer_->totals(); }
  // Closes the link, which may know of more that was lost. Not from inside a poll.
  LinkReplayReport finish();

  // From inside Domain::poll; set before start().
  std::function<void()> on_end;
  std::function<void(Bytes frame)> on_received;  // borrowed for the call

 private:
  LinkReplay(net::Domain& domain, Time carrier_wait, Time linger)
      : domain_(domain),
        carrier_wait_(carrier_wait),
        linger_(linger),
        later_(domain.callouts(), [this] { timeout(); }) {}

  void wire_received(Bytes frame) override {
    if (on_received) on_received(frame);
  }
  void wire_writable() override {
    if (replayer_) replayer_->writable();
  }
  void wire_link_changed(net::LinkState state, const Error* why) override;
  void timeout();
  void end();

  net::Domain& domain_;
  const Time carrier_wait_;
  Time linger_;
  Callout later_;
  std::unique_ptr<net::MergedCaptures> source_;
  std::unique_ptr<LinkWire> wire_;
  std::optional<net::Replayer> replayer_;
  std::string error_;
  bool ended_ = false;
};

}  // namespace vif::host
