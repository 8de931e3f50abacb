// SPDX-License-Identifier: BSD-2-Clause
// Who is connected, and who comes next. Everything happens in drain: a descriptor that became ready or the callout only
// call for it.
#include "hypercall/stream/stream_link.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "hypercall/stream/framing.hpp"
#include "hypercall/stream/stream_options.hpp"
#include "hypercall/stream/unix_socket.hpp"
#include "netstack/domain.hpp"

namespace vif::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Between tries to find a peer: doubled each time, and as at first again behind a peer who stayed.
constexpr Time kPauseFirst = milliseconds(100), kPauseLongest = seconds(5);
// For memory of the host's, of which nobody tells when it is there again.
constexpr Time kMemoryPause = milliseconds(2);

class StreamLink final : public drv::LinkPort {
 public:
  StreamLink(StreamOptions options, std::unique_ptr<Framing> framing, FdWatch& watch, net::Domain& domain)
      : options_(std::move(options)),
        framing_(std::move(framing)),
        watch_(watch),
        domain_(domain),
        later_(domain.callouts(), [this] { try_again(); }) {}
  ~StreamLink() override { stop(); }

  // Finds the first peer or a place to wait for one. An error: this link has no use.
  Status open() {
    if (options_.listen) {
      Result<UnixListener> listener = UnixListener::open(options_.path, options_.socket_type);
      if (!listener) return std::move(listener).error();
      listener_.emplace(std::move(*listener));
      return {};
    }
    Result<UnixPeer> peer = find();
    if (peer) peer_.emplace(std::move(*peer));
    else if (!options_.reconnect) return std::move(peer).error();
    return {};
  }
  bool connected() const { return peer_.has_value(); }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    search_due_ = true;
    Status watched;
    if (listener_) watched = watch_.add(listener_->fd(), sink);
    if (watched && peer_) watched = watch_.add(peer_->fd.get(), sink);
    if (!watched) stop();
    return watched;
  }

  void stop() override {
    if (listener_) watch_.remove(listener_->fd());
    if (peer_) watch_.remove(peer_->fd.get());
    later_.cancel();
    watches_room_ = false;
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    if (!peer_) return {0, drv::SendStatus::network_down};
    const drv::SendResult result = framing_->send(peer_->fd.get(), frames);
    if (result.status == drv::SendStatus::would_block) call_when_there_is_room();
    if (result.status == drv::SendStatus::network_down) sink_->ready();  // drain finds out the rest
    return result;
  }

  bool drain(std::size_t budget) override {
    if (!peer_ && !search()) return false;
    if (!std::exchange(lacked_room_, false)) watch_room(false);
    if (framing_->unfinished()) send({});
    const bool more = framing_->drain(peer_->fd.get(), budget, *sink_);
    if (framing_->over()) return lose_peer();
    if (framing_->lacked_memory()) later_.schedule(domain_.now() + kMemoryPause);
    return more;
  }

  void set_receive_filter(const drv::ReceiveFilter&) override {}  // the peer knows none

 private:
  Result<UnixPeer> find() const {
    if (options_.fd >= 0) return adopt_socket(options_.fd, options_.socket_type);
    return connect_unix(options_.path, options_.socket_type, options_.local);
  }

  // True: there is a peer now.
  bool search() {
    const bool may = listener_ || (options_.reconnect && std::exchange(search_due_, false));
    if (!may) return false;
    Result<UnixPeer> found = listener_ ? listener_->accept() : find();
    if (!found) {
      if (listener_ && found.error().number() == EAGAIN) return false;  // its descriptor tells
      return sit_out(found.error());
    }
    peer_.emplace(std::move(*found));
    if (Status watched = watch_.add(peer_->fd.get(), *sink_); !watched) {
      peer_.reset();
      return sit_out(watched.error());
    }
    connected_at_ = domain_.now();
    sink_->link_changed(net::LinkState::up, nullptr);
    return true;
  }

  // There is no peer, for this reason, and will not be for a while.
  bool sit_out(const Error& why) {
    later_.schedule(domain_.now() + pause_);
    pause_ = std::min(2 * pause_, kPauseLongest);
    sink_->link_changed(net::LinkState::down, &why);
    return false;
  }

  // True: there may be another one at once.
  bool lose_peer() {
    const Error why = fail(framing_->over()->number(), options_.where() + ": " + framing_->over()->text);
    framing_->end(*sink_);
    watch_.remove(peer_->fd.get());
    watches_room_ = lacked_room_ = search_due_ = false;
    peer_.reset();
    if (domain_.now() - connected_at_ >= kPauseLongest) pause_ = kPauseFirst;
    if (options_.reconnect) sit_out(why);
    else sink_->link_changed(net::LinkState::down, &why);
    return listener_.has_value();
  }

  void try_again() {
    search_due_ = true;
    sink_->ready();
  }

  void call_when_there_is_room() {
    lacked_room_ = true;
    if (!framing_->lacked_memory() && watch_room(true)) return;
    later_.schedule(domain_.now() + kMemoryPause);
  }

  // Being told of room all the time would cost a wake-up for most of what the peer reads.
  bool watch_room(bool wanted) {
    if (watches_room_ == wanted) return true;
    const auto what = wanted ? FdWatch::For::reading_and_writing : FdWatch::For::reading;
    const bool changed = watch_.change(peer_->fd.get(), *sink_, what).has_value();
    if (changed) watches_room_ = wanted;
    return changed;
  }

  const StreamOptions options_;
  const std::unique_ptr<Framing> framing_;
  FdWatch& watch_;
  net::Domain& domain_;
  drv::LinkSink* sink_ = nullptr;
  std::optional<UnixListener> listener_;
  std::optional<UnixPeer> peer_;
  bool watches_room_ = false;  // the peer's descriptor also tells when it can be written to again
  bool lacked_room_ = false;   // since the last drain
  bool search_due_ = false;
  Time connected_at_{};
  Time pause_ = kPauseFirst;
  Callout later_;
};

}  // namespace

Result<drv::OpenLink> open_stream_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                       ClockPort& clock) {
  Result<StreamOptions> options = StreamOptions::parse(linkstr);
  if (!options) return std::move(options).error();
  std::string chosen = options->describe();
  std::unique_ptr<Framing> framing =
      options->header_bytes > 0 ? make_length_framing(options->header_bytes, clock) : make_packet_framing(clock);
  auto link = std::make_unique<StreamLink>(std::move(*options), std::move(framing), watch, owner.domain);
  if (Status opened = link->open(); !opened) return std::move(opened).error();
  const drv::LinkCaps caps{.frame_bytes_max = Framing::kFrameBytesMax,
                           .slices_max = Framing::kSlicesMax,
                           .link_state = link->connected() ? net::LinkState::up : net::LinkState::down};
  return drv::OpenLink{.port = std::move(link), .caps = caps, .chosen = std::move(chosen)};
}

}  // namespace vif::host
