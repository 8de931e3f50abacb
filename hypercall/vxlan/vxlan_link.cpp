// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/vxlan_link.hpp"

#include <algorithm>
#include <cerrno>

#include "hypercall/fitting.hpp"
#include "hypercall/host_error.hpp"
#include "hypercall/vxlan/path_mtu.hpp"
#include "hypercall/vxlan/tunnel_options.hpp"
#include "hypercall/vxlan/tunnel_receiver.hpp"
#include "hypercall/vxlan/tunnel_sender.hpp"
#include "hypercall/vxlan/work_left.hpp"
#include "netstack/domain.hpp"

namespace vif::host {
namespace {

using namespace std::chrono_literals;

constexpr Time kForgetAfter = 300s;      // as Linux's vxlan devices do
constexpr Time kLookAgain = 10s;         // for stations to forget and ways that have changed
constexpr Time kTryAgain = 5ms;          // after an error that may pass
constexpr std::size_t kReportsMax = 64;  // read in one drain
constexpr int kRefusalsMax = 4;          // of reads in one drain: ICMP's reports come in place of an answer
constexpr int kReadsMax = 1024;          // of what was waiting at stop()

struct Host {
  net::Domain& domain;
  FdWatch& watch;
  ClockPort& clock;
};

drv::LinkCaps caps_within(std::uint32_t path_mtu_bytes, bool v6) {
  drv::LinkCaps caps{.frame_bytes_max = frame_bytes_within(path_mtu_bytes, v6), .slices_max = UINT16_MAX};
  caps.mtu_bytes = caps.frame_bytes_max - static_cast<std::uint32_t>(net::kEtherHeaderBytes);
  return caps;
}

class VxlanLink final : public drv::LinkPort {
 public:
  VxlanLink(TunnelSocket socket, PathMtu path, VxlanNetwork network, const Host& host)
      : host_(host),
        socket_(std::move(socket)),
        path_(std::move(path)),
        network_(std::move(network)),
        caps_(caps_within(path_.ask(network_.remotes()), path_.is_v6())) {}

  const drv::LinkCaps& caps() const { return caps_; }
  std::string chosen() const;

  Status start(drv::LinkSink& sink) override;
  void stop() override;
  drv::SendResult send(std::span<const drv::TxFrame> frames) override;
  bool drain(std::size_t budget) override;
  // The driver sees every frame; judging twice would cost more than it saves.
  void set_receive_filter(const drv::ReceiveFilter&) override {}

 private:
  bool flush();
  bool watch_for(FdWatch::For what);
  bool receive(std::size_t budget);
  bool read();
  std::size_t deliver(std::size_t budget);
  void read_reports();
  void ask_path();
  void report_losses();
  void look_again();
  void give_up(int number);
  void try_later() { try_again_.schedule(host_.domain.now() + kTryAgain); }
  void lost(DropReason reason, std::uint64_t frames) {
    if (frames > 0) sink_->lost(reason, frames);
  }

  const Host host_;
  TunnelSocket socket_;
  const PathMtu path_;
  VxlanNetwork network_;
  drv::LinkCaps caps_;
  TunnelSender sender_{socket_, network_};
  TunnelReceiver receiver_;
  VxlanNetwork::When read_at_;
  std::array<drv::RxFrame, 64> burst_;
  drv::LinkSink* sink_ = nullptr;
  FdWatch::For watched_for_ = FdWatch::For::reading;
  TunnelSender::Doubts doubts_;
  std::uint64_t taken_ = 0;   // by send, and not known to have failed
  std::uint64_t failed_ = 0;  // of those taken, to be reported
  std::optional<Error> unusable_;
  Callout try_again_{host_.domain.callouts(), [this] { sink_->ready(); }};
  Callout look_again_{host_.domain.callouts(), [this] { look_again(); }};
};

std::string VxlanLink::chosen() const {
  return std::string("sends with ") + (socket_.has_segment() ? "UDP_SEGMENT" : "sendmmsg") + ", receives with " +
         (socket_.has_gro() ? "UDP_GRO" : "recvmmsg") + "; receive buffer " +
         std::to_string(socket_.receive_buffer_bytes() / 1024) + " KiB; path MTU leaves " +
         std::to_string(caps_.mtu_bytes);
}

// --- life ---

Status VxlanLink::start(drv::LinkSink& sink) {
  if (Status watched = host_.watch.add(socket_.fd(), sink); !watched) return watched;
  if (const auto discarded = socket_.discarded()) receiver_.count_discarded_from(*discarded);
  if (Status open = socket_.let_in(); !open) {
    host_.watch.remove(socket_.fd());
    return open;
  }
  sink_ = &sink;
  look_again();
  return {};
}

void VxlanLink::stop() {
  if (sink_ == nullptr) return;
  host_.watch.remove(socket_.fd());
  watched_for_ = FdWatch::For::reading;
  try_again_.cancel();
  look_again_.cancel();
  if (const auto discarded = socket_.discarded()) receiver_.count_discarded_until(*discarded);
  socket_.shut();
  std::uint64_t waiting = receiver_.forget();
  for (int reads = 0; reads < kReadsMax && receiver_.read(socket_.fd()) == 0; ++reads) waiting += receiver_.forget();
  lost(DropReason::not_running, waiting);
  sender_.abandon();
  report_losses();
  sink_ = nullptr;
}

void VxlanLink::look_again() {
  network_.forget_before(host_.domain.now() - kForgetAfter);
  sender_.try_trains();
  doubts_.path = true;
  sink_->ready();
  look_again_.schedule(host_.domain.now() + kLookAgain);
}

void VxlanLink::give_up(int number) {
  errno = number;
  unusable_ = host_error("vxlan: the tunnel's socket is not usable any more; link it anew");
  sender_.abandon();
  sink_->ready();
}

// --- frames out ---

drv::SendResult VxlanLink::send(std::span<const drv::TxFrame> frames) {
  const drv::SendResult fits = fitting(frames, caps_.frame_bytes_max);
  std::size_t taken = 0;
  while (taken < fits.taken && flush()) {
    while (taken < fits.taken && sender_.push(frames[taken])) ++taken;
  }
  flush();  // what it leaves goes later
  taken_ += taken;
  if (taken == fits.taken) return fits;
  return {taken, unusable_ ? drv::SendStatus::network_down : drv::SendStatus::would_block};
}

// True: nothing waits. Else ready() tells when to go on.
bool VxlanLink::flush() {
  if (unusable_) return false;
  const TunnelSender::Flushed flushed = sender_.flush();
  const TunnelSender::Doubts doubts = sender_.take_doubts();
  doubts_.reports |= doubts.reports;
  doubts_.path |= doubts.path;
  failed_ += sender_.take_failed();
  if (doubts.reports || failed_ > 0) sink_->ready();
  switch (flushed) {
    case TunnelSender::Flushed::all:
      return watch_for(FdWatch::For::reading), true;
    case TunnelSender::Flushed::full:
      if (!watch_for(FdWatch::For::reading_and_writing)) try_later();
      return false;
    case TunnelSender::Flushed::later:
      return try_later(), false;
    case TunnelSender::Flushed::unusable:
      return give_up(errno), false;
  }
  return false;
}

// Only while something waits: every datagram that leaves makes the socket writable anew.
bool VxlanLink::watch_for(FdWatch::For what) {
  if (what == watched_for_) return true;
  if (!host_.watch.change(socket_.fd(), *sink_, what)) return false;
  watched_for_ = what;
  return true;
}

// --- frames in ---

bool VxlanLink::drain(std::size_t budget) {
  flush();
  const bool more = receive(budget);
  read_reports();
  ask_path();
  report_losses();
  if (unusable_) sink_->link_changed(net::LinkState::down, &*unusable_);
  return !unusable_ && (more || doubts_.reports);
}

// True: there may be more.
bool VxlanLink::receive(std::size_t budget) {
  bool more = receiver_.front() != nullptr || read();
  while (more && budget > 0) {
    budget -= deliver(budget);
    if (receiver_.front() == nullptr) more = !receiver_.drained() && read();
  }
  return more;
}

// False: there is nothing, or not now.
bool VxlanLink::read() {
  for (int refusals = 0; refusals < kRefusalsMax && !unusable_; ++refusals) {
    const int number = receiver_.read(socket_.fd());
    if (number == 0) {
      read_at_ = {host_.domain.now(), host_.clock.wall_ns()};
      return receiver_.front() != nullptr;
    }
    if (number == EAGAIN) return false;
    if (TunnelSocket::is_unusable(number)) give_up(number);
    doubts_.reports |= number != EINTR;
  }
  if (!unusable_) try_later();
  return false;
}

// One burst. Returns how many datagrams it has looked at.
std::size_t VxlanLink::deliver(std::size_t budget) {
  const auto into = std::span(burst_).first(std::min(budget, burst_.size()));
  VxlanNetwork::Taken all;
  for (auto* arrived = receiver_.front(); arrived != nullptr && all.datagrams < into.size();
       arrived = receiver_.front()) {
    const auto room = into.subspan(all.frames).first(into.size() - all.datagrams);
    const VxlanNetwork::Taken taken = network_.take(arrived->sender, arrived->train, room, read_at_);
    const SegmentsWanted wanted{caps_.mtu_bytes, arrived->udp_segment_bytes};
    for (drv::RxFrame& frame : room.first(taken.frames)) frame.offload = work_left(frame.bytes, wanted);
    all.datagrams += taken.datagrams;
    all.frames += taken.frames;
  }
  if (all.frames > 0) sink_->deliver(into.first(all.frames));
  return all.datagrams;
}

// --- what went wrong ---

void VxlanLink::read_reports() {
  if (!std::exchange(doubts_.reports, false)) return;
  const TunnelSocket::Reports reports = socket_.read_reports(kReportsMax);
  failed_ += reports.unreachable;
  doubts_.reports = reports.more;
  doubts_.path |= reports.too_big;
}

void VxlanLink::ask_path() {
  if (!std::exchange(doubts_.path, false)) return;
  const drv::LinkCaps now = caps_within(path_.ask(network_.remotes()), path_.is_v6());
  if (now.frame_bytes_max == caps_.frame_bytes_max) return;
  caps_ = now;
  sink_->caps_changed(caps_);
}

// Anybody may send ICMP's reports, so they cannot count for more than was sent.
void VxlanLink::report_losses() {
  failed_ = std::min(failed_ + sender_.take_failed(), taken_);
  taken_ -= failed_;
  lost(DropReason::tx_error, std::exchange(failed_, 0));
  lost(DropReason::rx_overrun, receiver_.take_discarded());
  for (const DropReason why : VxlanNetwork::kRefusals) lost(why, network_.take_refused(why));
}

}  // namespace

Result<drv::OpenLink> open_vxlan_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                      ClockPort& clock) {
  Result<TunnelOptions> options = TunnelOptions::read(linkstr);
  if (!options) return std::move(options).error();
  Result<TunnelSocket> socket = TunnelSocket::open(options->local);
  if (!socket) return std::move(socket).error();
  Result<PathMtu> path = PathMtu::open(options->local);
  if (!path) return std::move(path).error();
  auto link =
      std::make_unique<VxlanLink>(std::move(*socket), std::move(*path),
                                  VxlanNetwork(options->vni, std::move(options->remotes), owner.domain.random().next()),
                                  Host{owner.domain, watch, clock});
  const drv::LinkCaps caps = link->caps();
  std::string chosen = link->chosen();
  return drv::OpenLink{.port = std::move(link), .caps = caps, .chosen = std::move(chosen)};
}

}  // namespace vif::host
