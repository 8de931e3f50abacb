// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/uring_link.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "hypercall/fitting.hpp"
#include "hypercall/host_wire.hpp"
#include "hypercall/link_options.hpp"
#include "hypercall/uring/memberships.hpp"
#include "hypercall/uring/packet_receiver.hpp"
#include "hypercall/uring/packet_sender.hpp"
#include "netstack/domain.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::host {
namespace {

constexpr Time kRetryAfter = std::chrono::milliseconds(1);  // when the host does not say that it has room again
constexpr std::uint64_t kDrainsPerLook = 16;                // at the interface, while frames keep coming
constexpr std::uint32_t kSuperFrameBytesMax = 65'535 + net::kEtherHeaderBytes + net::kVlanTagBytes;  // RFC 791, 3.1

struct UringOptions {
  bool bypass_qdisc = false;
  bool low_latency = false;
  std::size_t ring_bytes = 0;
};

// What a link stands on, once all of it is open.
struct UringParts {
  HostWire wire;
  UringOptions options;
  std::unique_ptr<PacketSender> sender;
  std::unique_ptr<PacketReceiver> receiver;
};

ReceivePlan receive_plan(const HostWire& wire, const UringOptions& options) {
  return {wire.interface().state().mtu_bytes, options.low_latency, options.ring_bytes};
}

class UringLink final : public drv::LinkPort {
 public:
  UringLink(UringParts parts, const drv::LinkCaps& caps, net::Domain& domain, FdWatch& watch)
      : parts_(std::move(parts)), caps_(caps), domain_(domain), watch_(watch), retry_(domain.callouts(), [this] {
          sink_->ready();
        }) {}
  ~UringLink() override { stop(); }

  Status start(drv::LinkSink& sink) override {
    if (!parts_.receiver) {
      Result<std::unique_ptr<PacketReceiver>> receiver = open_receiver(receive_plan(parts_.wire, parts_.options));
      if (!receiver) return std::move(receiver).error();
      parts_.receiver = std::move(*receiver);
    }
    sink_ = &sink;
    Status begun = watch_.add(parts_.wire.fd(), sink);
    if (begun) begun = watch_.add(parts_.receiver->socket().fd(), sink);
    if (begun) begun = listen();
    if (!begun) {
      close_receiver();
      end();
    }
    return begun;
  }

  void stop() override {
    if (sink_ == nullptr) return;
    if (parts_.receiver) report_rest();
    close_receiver();
    report_failed();
    end();
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const auto too_long =
        std::find_if(frames.begin(), frames.end(), [this](const drv::TxFrame& frame) { return !fits(frame); });
    const std::span<const drv::TxFrame> fitting(frames.begin(), too_long);
    drv::SendResult result = parts_.sender->send(fitting);
    failed_ += parts_.sender->take_failed();
    if (failed_ > 0) sink_->ready();  // drain reports them
    if (result.status == drv::SendStatus::would_block) wait_for_room();
    if (result.status == drv::SendStatus::ok && too_long != frames.end()) {
      result.status = drv::SendStatus::message_size;
    }
    return result;
  }

  bool drain(std::size_t budget) override {
    stop_waiting();
    report_failed();
    const bool more = receive(budget);
    if (parts_.receiver && (!more || ++drains_ % kDrainsPerLook == 0)) parts_.wire.tell(*sink_, caps_);
    return more;
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override {
    filter_ = {filter.lladdr, filter.promisc, filter.allmulti};
    groups_.assign(filter.groups.begin(), filter.groups.end());
    filter_.groups = groups_;
    if (sink_ != nullptr) apply_filter();
  }

 private:
  unsigned ifindex() const { return parts_.wire.interface().index(); }

  // Of an interface that has gone meanwhile the first drain tells.
  Status listen() {
    apply_filter();
    Status listening = parts_.receiver->socket().listen(ifindex());
    if (listening || listening.error().number() == ENODEV || listening.error().number() == ENXIO) return {};
    return listening;
  }
  void apply_filter() {
    if (!parts_.receiver) return;
    memberships_.become(memberships_for(filter_, parts_.wire.interface().state().lladdr), parts_.receiver->socket(),
                        ifindex());
  }

  bool receive(std::size_t budget) {
    if (!parts_.receiver) return false;
    const Result<PacketReceiver::Drained> drained = parts_.receiver->drain(budget, *sink_);
    if (!drained) {
      report_rest();
      close_receiver();
      caps_.link_state = net::LinkState::down;
      sink_->link_changed(net::LinkState::down, &drained.error());
      return false;
    }
    taken_ += drained->delivered + drained->lost;
    if (drained->lost > 0) sink_->lost(DropReason::rx_overrun, drained->lost);
    if (!drained->more && drained->delivered > 0) report_overruns();
    return drained->more;
  }

  void report_overruns() {
    const PacketSocket::Counts counts = parts_.receiver->socket().take_counts();
    queued_ += counts.queued;
    if (counts.dropped > 0) sink_->lost(DropReason::rx_overrun, counts.dropped);
  }
  // Of a receiver that will be closed: what it has and nobody will read.
  void report_rest() {
    report_overruns();
    if (queued_ > taken_) sink_->lost(DropReason::not_running, queued_ - taken_);
  }
  void report_failed() {
    if (failed_ > 0) sink_->lost(DropReason::tx_error, std::exchange(failed_, 0));
  }

  void close_receiver() {
    if (!parts_.receiver) return;
    watch_.remove(parts_.receiver->socket().fd());
    memberships_.become({}, parts_.receiver->socket(), ifindex());
    parts_.receiver.reset();
    queued_ = taken_ = 0;
  }
  void end() {
    stop_waiting();
    watch_.remove(parts_.wire.fd());
    sink_ = nullptr;
  }

  bool fits(const drv::TxFrame& frame) const {
    if (frame.offload.is_super_frame()) return frame.bytes <= kSuperFrameBytesMax;
    return fits_with_tag(frame, caps_.frame_bytes_max);
  }

  void wait_for_room() {
    const int fd = parts_.sender->blocked_fd();
    if (fd >= 0 && fd == waiting_for_) return;
    if (fd >= 0 && watch_.add(fd, *sink_, FdWatch::For::reading_and_writing)) waiting_for_ = fd;
    else retry_.schedule(domain_.now() + kRetryAfter);
  }
  void stop_waiting() {
    retry_.cancel();
    if (waiting_for_ >= 0) watch_.remove(std::exchange(waiting_for_, -1));
  }

  UringParts parts_;    // receiver: from open to the end of the first run, then while running
  drv::LinkCaps caps_;  // as last told
  net::Domain& domain_;
  FdWatch& watch_;
  Callout retry_;
  drv::LinkSink* sink_ = nullptr;  // null: stopped
  drv::ReceiveFilter filter_{};    // its groups are groups_
  std::vector<net::MacRange> groups_;
  Memberships memberships_;
  std::uint64_t queued_ = 0, taken_ = 0;  // frames the host put down for this receiver, and that we have seen
  std::uint64_t failed_ = 0;              // frames sent that came to nothing, not yet reported
  std::uint64_t drains_ = 0;
  int waiting_for_ = -1;  // the descriptor that is watched for room
};

Result<UringOptions> options_of(const drv::Linkstr& linkstr) {
  if (Status ok = needs_argument(linkstr, "the name of a network interface"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {"qdisc", "latency", "ring"}); !ok) return std::move(ok).error();
  UringOptions options;
  if (const auto* const qdisc = linkstr.find("qdisc")) {
    if (qdisc->value != "bypass") return fail(EINVAL, "uring: qdisc can only be 'bypass', or be left away");
    options.bypass_qdisc = true;
  }
  if (const auto* const latency = linkstr.find("latency")) {
    if (latency->value != "low") return fail(EINVAL, "uring: latency can only be 'low', or be left away");
    options.low_latency = true;
  }
  const Result<std::uint64_t> ring_mib = number_option(linkstr, "ring", 16, {1, 1024});
  if (!ring_mib) return ring_mib.error();
  options.ring_bytes = static_cast<std::size_t>(*ring_mib) << 20;
  return options;
}

}  // namespace

Status check_uring_linkstr(const drv::Linkstr& linkstr) {
  const Result<UringOptions> options = options_of(linkstr);
  return options ? Status() : Status(options.error());
}

Result<drv::OpenLink> open_uring_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch) {
  const Result<UringOptions> options = options_of(linkstr);
  if (!options) return options.error();
  Result<HostWire> wire = HostWire::open("uring", linkstr.argument);
  if (!wire) return std::move(wire).error();
  Result<std::unique_ptr<PacketSender>> sender = PacketSender::open({wire->interface().index(), options->bypass_qdisc});
  if (!sender) return std::move(sender).error();
  Result<std::unique_ptr<PacketReceiver>> receiver = open_receiver(receive_plan(*wire, *options));
  if (!receiver) return std::move(receiver).error();

  drv::LinkCaps caps{.slices_max = PacketSender::kSlicesMax};
  wire->describe(caps);
  const bool offloads = (*sender)->offloads() && (*receiver)->offloads();
  if (offloads) caps.offload = {.csum = true, .tso4 = true, .tso6 = true};
  std::string chosen = (*receiver)->words() + "; " + (*sender)->words() + (offloads ? "; csum, tso4, tso6" : "");
  UringParts parts{std::move(*wire), *options, std::move(*sender), std::move(*receiver)};
  return drv::OpenLink{std::make_unique<UringLink>(std::move(parts), caps, owner.domain, watch), caps, nullptr,
                       std::move(chosen)};
}

}  // namespace vif::host
