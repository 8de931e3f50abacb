// SPDX-License-Identifier: BSD-2-Clause
// Captures replayed on a link, or on the two sides of a device under test: waits for the carrier, plays, listens a
// while, and says what became of each frame.
//
// Works on every host: with a Loop in real time, with the simulated host in virtual time. On the domain's thread.
#pragma once

#include <functional>

#include "hypercall/replay/link_wire.hpp"
#include "netstack/replay/learned_flows.hpp"

namespace vif::host {

struct LinkReplayRequest {
  // What servers sent goes to a link of its own.
  struct Split {
    net::FrameSplitter rule;
    std::string servers;
  };

  std::vector<std::string> captures = {};  // merged by time
  std::string linkstr = {};                // of all frames; when they are split, of what clients sent
  std::optional<Split> split = {};
  net::ReplayPlan plan = {};
  net::BpfProgram select = {};                  // only these frames are sent
  net::FrameRewriter rewriter = {};             // changed like this
  std::optional<std::uint32_t> mtu_bytes = {};  // none: what the link takes
  net::ReplayOversize oversize = net::ReplayOversize::refuse;
  Time carrier_wait = std::chrono::seconds(10);  // at most, before the first frame
  Time linger{};                                 // listens so long after the last frame
  bool link_may_go = false;                      // meanwhile: who listens knows what it still waits for
  // Ports and sequence numbers that the other side chooses, with what it sent when it was recorded.
  std::optional<net::LearnedFlows> learned = {};
};

struct LinkReplayReport {
  net::ReplayTotals totals;
  Time sending{};          // from the first frame to the last, by the host's clock
  std::uint64_t lost = 0;  // of totals.wire_frames: taken by the backend, and lost by it later
  std::uint64_t received = 0, unreadable = 0;
  std::uint64_t received_before = 0;  // the start: these were not looked at, and are none of `received`
  struct Link {
    std::string linkstr;
    std::uint64_t sent_frames, sent_bytes;  // taken by the backend
    std::uint64_t received, lost;
  };
  std::vector<Link> links;  // the clients' first
  std::string error;        // empty: the captures were read whole, held frames to send, and the link stayed
  bool early = false;       // it ended before the captures and the plan did: what followed was not tried

  std::uint64_t refused() const;
  // Every record of the captures reached the link, whole.
  bool complete() const { return error.empty() && totals.failed + lost + refused() + totals.truncated == 0; }
  double seconds() const { return std::chrono::duration<double>(sending).count(); }
};

class LinkReplay final {
 public:
  // Errors: the captures or the link cannot be opened. All ports outlive it.
  static Result<std::unique_ptr<LinkReplay>> open(const LinkReplayRequest& request, FilesPort& files,
                                                  const LinkWire::Host& host);

  // Plays once the carrier is there; on_end is called when it is over.
  void start();
  // A capture or a link's file has more to read, which had nothing yet (ByteSource's EAGAIN). Harmless at any other
  // time.
  void readable();
  // Ends it now: what was sent stays sent, and is reported. Harmless when it has ended.
  void stop();
  bool ended() const { return ended_; }
  // All that it listened for has come: it goes on for kSettle, in case there is something else, and for `linger` if
  // that is longer; counted from now, or from the last frame sent, whichever is later. Without `linger` the link may go
  // meanwhile.
  static constexpr Time kSettle = std::chrono::milliseconds(200);
  void satisfied(Time linger);

  // 0 before it.
  Time since_start() const { return has_started() ? domain_.now() - totals().started : Time(0); }
  std::optional<std::int64_t> first_time_ns() const { return source_->first_time_ns(); }  // as MergedCaptures

  const net::ReplayTotals& totals() const { return replayer_->totals(); }
  // Closes the link, which may know of more that was lost. Not from inside a poll.
  LinkReplayReport finish();

  // From inside Domain::poll; set before start().
  std::function<void()> on_end;
  // Which link, and a frame that it took; borrowed for the call.
  std::function<void(net::ReplaySide at, Bytes frame)> on_sent;
  // On which link, a frame that came after the start, and the same as it would have been recorded; borrowed for the
  // call.
  std::function<void(net::ReplaySide at, Bytes frame, Bytes as_recorded)> on_received;

 private:
  // One link and who hears of it. Frames of the recording go to it.
  class Side final : public net::ReplayWire, private WireListener {
   public:
    Side(LinkReplay& replay, net::ReplaySide side, std::string linkstr)
        : replay_(replay), side_(side), linkstr_(std::move(linkstr)) {}
    Status open(const LinkWire::Host& host);
    Sent send(std::span<const Bytes> frames) override;

    const std::string& linkstr() const { return linkstr_; }
    LinkWire& wire() { return *wire_; }
    const std::string& why_down() const { return why_down_; }  // when its carrier went last; empty: not said
    std::uint64_t received_before() const { return received_before_; }

   private:
    void wire_received(Bytes frame) override {
      if (replay_.has_started()) replay_.received(side_, frame);
      else ++received_before_;
    }
    void wire_writable() override {
      if (replay_.replayer_) replay_.replayer_->writable();
    }
    void wire_link_changed(net::LinkState state, const Error* why) override {
      why_down_ = why == nullptr ? "" : why->text;
      replay_.link_changed(*this, state);
    }

    LinkReplay& replay_;
    const net::ReplaySide side_;
    const std::string linkstr_;
    std::unique_ptr<LinkWire> wire_;
    std::uint64_t received_before_ = 0;
    std::string why_down_;
    net::Scratch scratch_;
    std::vector<Bytes> live_;
  };

  LinkReplay(net::Domain& domain, const LinkReplayRequest& request)
      : domain_(domain),
        carrier_wait_(request.carrier_wait),
        linger_(request.linger),
        link_may_go_(request.link_may_go),
        learned_(request.learned),
        later_(domain.callouts(), [this] { timeout(); }) {}

  bool has_started() const { return replayer_ && replayer_->state() != net::Replayer::State::idle; }
  Status open_links(const LinkReplayRequest& request, const LinkWire::Host& host);
  Side* without_carrier();
  void received(net::ReplaySide at, Bytes frame);
  void link_changed(Side& side, net::LinkState state);
  void timeout();
  void end();

  net::Domain& domain_;
  const Time carrier_wait_;
  Time linger_;
  bool link_may_go_;
  std::optional<net::LearnedFlows> learned_;
  net::Scratch recorded_;
  Callout later_;
  std::unique_ptr<net::MergedCaptures> source_;
  std::vector<std::unique_ptr<Side>> sides_;  // the clients' first
  std::optional<net::Replayer> replayer_;
  std::string error_;
  bool ended_ = false;
};

}  // namespace vif::host
