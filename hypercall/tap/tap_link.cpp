// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_link.hpp"

#include <net/if.h>

#include <algorithm>

#include "hypercall/host_interface.hpp"
#include "hypercall/link_options.hpp"
#include "hypercall/tap/tap_rx.hpp"
#include "hypercall/tap/tap_tx.hpp"
#include "netstack/domain.hpp"

namespace vif::host {
namespace {

// What a TAP stands on, once all of it is open.
struct TapParts {
  std::unique_ptr<TapDevice> device;
  TapMemory memory;
  HostInterface host;
  bool batches;
};

class TapLink final : public drv::LinkPort {
 public:
  TapLink(TapParts parts, const drv::LinkCaps& caps, const drv::LinkOwner& owner, FdWatch& watch, ClockPort& clock)
      : parts_(std::move(parts)),
        ring_(parts_.device->fd(), parts_.memory, parts_.batches),
        rx_(*parts_.device, parts_.memory, ring_, clock),
        tx_(*parts_.device, parts_.memory, ring_, caps.frame_bytes_max),
        watch_(watch),
        ifname_(owner.ifname),
        domain_(owner.domain),
        again_(owner.domain.callouts(), [this] { sink_->ready(); }),
        caps_(caps),
        lladdr_(parts_.host.state().lladdr) {
    rx_.set_mtu(caps_.mtu_bytes);
  }
  ~TapLink() override { stop(); }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    first_ = true;
    if (gone_) return {};
    stale_ += rx_.discard();
    Status begun = watch_.add(parts_.device->fd(), sink, FdWatch::For::reading_and_writing);
    if (begun) begun = watch_.add(parts_.host.fd(), sink);
    if (begun) {
      parts_.device->set_carrier(true);
      begun = parts_.host.ask();
    }
    if (!begun) {
      end();
      sink_ = nullptr;
    }
    return begun;
  }

  void stop() override {
    if (sink_ == nullptr) return;
    end();
    stale_ += rx_.discard();
    report_lost();
    sink_ = nullptr;
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    if (gone_) return {0, drv::SendStatus::network_down};
    const drv::SendResult result = tx_.send(frames);
    if (tx_.lost() > 0) sink_->ready();  // drain reports them
    return result;
  }

  bool drain(std::size_t budget) override {
    report_changes();
    report_lost();
    if (gone_) return false;
    const TapRx::Ended ended = rx_.drain(budget, *sink_);
    if (ended == TapRx::Ended::failed) again_.schedule(domain_.now() + kAgainAfter);
    return ended == TapRx::Ended::budget;
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override { parts_.device->set_filter(filter); }

 private:
  static constexpr Time kAgainAfter = std::chrono::milliseconds(10);

  void end() {
    again_.cancel();
    watch_.remove(parts_.device->fd());
    watch_.remove(parts_.host.fd());
    parts_.device->set_carrier(false);
    ring_.close();
  }

  void report_lost() {
    if (stale_ > 0) sink_->lost(DropReason::not_running, std::exchange(stale_, 0));
    if (const std::uint64_t frames = tx_.take_lost(); frames > 0) sink_->lost(DropReason::tx_error, frames);
  }

  void report_changes() {
    const bool first = std::exchange(first_, false);
    const bool changed = !gone_ && parts_.host.update();
    if (!changed && !first) return;
    const HostInterfaceState& now = parts_.host.state();
    if (now.gone) return report_gone(now);
    if (now.mtu_bytes != caps_.mtu_bytes || now.lladdr != lladdr_) {
      caps_.mtu_bytes = now.mtu_bytes;
      lladdr_ = now.lladdr;
      rx_.set_mtu(now.mtu_bytes);
      sink_->caps_changed(caps_);
    }
    const net::LinkState state = now.link_state();
    const bool down = state == net::LinkState::down;
    if (state == std::exchange(caps_.link_state, state) && !(first && down)) return;
    const Error why = now.up ? fail(ENETDOWN, "somebody on this host took the carrier of " + now.name +
                                                  ": ip link set " + now.name + " carrier on")
                             : fail(ENETDOWN, now.name + " is down on this host: ip link set " + now.name + " up");
    sink_->link_changed(state, down ? &why : nullptr);
  }

  // For good. Where it only went to another namespace nobody here could follow what becomes of it.
  void report_gone(const HostInterfaceState& last) {
    if (std::exchange(gone_, true)) return;
    const Error why =
        parts_.device->exists()
            ? fail(ENODEV, "TAP " + last.name + " was moved to another network namespace: link again there")
            : fail(ENODEV, "TAP " + last.name +
                               " was removed from this host: link again to make a new one, as in `link set " + ifname_ +
                               " linkstr tap:" + last.name + "`");
    end();
    caps_.link_state = net::LinkState::down;
    sink_->link_changed(net::LinkState::down, &why);
  }

  TapParts parts_;
  TapRing ring_;
  TapRx rx_;
  TapTx tx_;
  FdWatch& watch_;
  const std::string ifname_;  // of the interface that has us
  net::Domain& domain_;
  Callout again_;
  drv::LinkCaps caps_;      // as last reported
  net::MacAddress lladdr_;  // of the host's side; likewise
  drv::LinkSink* sink_ = nullptr;
  std::uint64_t stale_ = 0;  // frames that came while nobody listened
  bool first_ = true;        // no drain since start()
  bool gone_ = false;
};

}  // namespace

Result<TapWanted> tap_wanted(const drv::Linkstr& linkstr) {
  if (Status ok = only_options(linkstr, {"offload", "persist"}); !ok) return std::move(ok).error();
  const std::string& name = linkstr.argument;
  const bool odd =
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == '/' || c == ':'; });
  if (linkstr.argument_nested || odd || name.size() >= IFNAMSIZ) {
    return fail(std::errc::invalid_argument, "tap: '" + name +
                                                 "' is no interface's name: expected at most 15 "
                                                 "characters without blanks, '/' and ':', or none for the next tap%d");
  }
  TapWanted wanted{.name = name};
  if (const auto* const offload = linkstr.find("offload")) {
    if (offload->value != "on" && offload->value != "off") {
      return fail(std::errc::invalid_argument, "tap: offload is on or off, not '" + offload->value.value_or("") + "'");
    }
    wanted.offload = offload->value == "on";
  }
  if (const auto* const persist = linkstr.find("persist")) {
    if (persist->value) return fail(std::errc::invalid_argument, "tap: persist takes no value");
    wanted.persist = true;
  }
  return wanted;
}

namespace {

std::string words(const net::OffloadSet& set) {
  std::string list;
  const auto add = [&](bool has, const char* word) {
    if (has) list += (list.empty() ? "" : ", ") + std::string(word);
  };
  add(set.csum, "csum");
  add(set.tso4, "tso4");
  add(set.tso6, "tso6");
  add(set.uso, "uso");
  return list.empty() ? "no offload" : list;
}

// Whether frames can go by the batch here, and the words for it.
std::pair<bool, std::string> batches_of(const TapDevice& device) {
  if (!device.nowait()) return {false, "one call a frame: this kernel's TAPs cannot do without waiting"};
  const auto ring = IoRing::create(2, 4);
  if (!ring) return {false, "one call a frame: " + ring.error().text};
  return {true, std::string((*ring)->words()) + " for bursts"};
}

}  // namespace

Result<drv::OpenLink> open_tap_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                    ClockPort& clock) {
  const Result<TapWanted> wanted = tap_wanted(linkstr);
  if (!wanted) return wanted.error();
  Result<TapPlace> here = TapPlace::here();
  if (!here) return std::move(here).error();
  return open_tap_at(std::move(*here), *wanted, owner, watch, clock);
}

Result<TapPlace> TapPlace::here() {
  Result<UniqueFd> tun = TapDevice::open_tun();
  if (!tun) return std::move(tun).error();
  Result<UniqueFd> netlink = HostInterface::open_netlink();
  if (!netlink) return std::move(netlink).error();
  return TapPlace{std::move(*tun), std::move(*netlink)};
}

Result<drv::OpenLink> open_tap_at(TapPlace place, const TapWanted& wanted, const drv::LinkOwner& owner, FdWatch& watch,
                                  ClockPort& clock) {
  Result<std::unique_ptr<TapDevice>> device = TapDevice::open(wanted, std::move(place.tun));
  if (!device) return std::move(device).error();
  Result<HostInterface> host = HostInterface::open((*device)->name(), std::move(place.netlink));
  if (!host) return std::move(host).error();
  Result<TapMemory> memory = TapMemory::create();
  if (!memory) return std::move(memory).error();

  const TapDevice& tap = **device;
  const auto [batches, how] = batches_of(tap);
  std::string chosen = tap.name() + (tap.was_there() ? " attached; " : " made; ") + words(tap.offload()) + "; " + how;
  if (!tap.has_filter()) chosen += "; the host does not filter";
  if (!tap.has_carrier_control()) chosen += "; the host always sees a carrier";

  const HostInterfaceState& state = host->state();
  constexpr std::uint32_t kMtuMax = 65'521;  // of a TAP: drivers/net/tun.c
  const drv::LinkCaps caps{
      .frame_bytes_max = tap.header_bytes() != 0 ? std::uint32_t{TapMemory::kFrameBytesMax}
                                                 : kMtuMax + std::uint32_t{net::kEtherHeaderBytes},
      .slices_max = TapTx::kSlicesMax,
      .offload = tap.offload(),
      .mtu_bytes = state.mtu_bytes,
      .link_state = state.up ? net::LinkState::up : net::LinkState::down,
  };
  TapParts parts{std::move(*device), std::move(*memory), std::move(*host), batches};
  return drv::OpenLink{std::make_unique<TapLink>(std::move(parts), caps, owner, watch, clock), caps, nullptr,
                       std::move(chosen)};
}

}  // namespace vif::host
