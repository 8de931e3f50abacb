// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/pcapdev/pcapdev_link.hpp"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/host_wire.hpp"
#include "hypercall/link_options.hpp"
#include "hypercall/uring/memberships.hpp"
#include "netstack/domain.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::host {
namespace {

constexpr Time kRetryAfter = std::chrono::milliseconds(1);
constexpr int kTries = 3;  // of a frame the host has no room for, or of receiving
constexpr int kSnapshotBytes = 262'144;
constexpr int kBufferBytes = 16 << 20;

struct PcapClosed {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};
using Pcap = std::unique_ptr<pcap_t, PcapClosed>;

Error pcap_error(int answer, pcap_t* pcap, const std::string& name) {
  if (answer == PCAP_ERROR_PERM_DENIED) {
    return fail(EPERM, "pcapdev: capturing on " + name +
                           " needs the capability CAP_NET_RAW: give it to the program (setcap cap_net_raw+ep), run as "
                           "root, or run in a network namespace of your own: unshare -Ur -n");
  }
  const std::string detail = pcap_geterr(pcap);
  return fail(answer == PCAP_ERROR_NO_SUCH_DEVICE ? ENODEV : EIO,
              "pcapdev: " + name + ": " + (detail.empty() ? pcap_statustostr(answer) : detail));
}

// Compiled by the capture itself: on Linux a frame's tag is not among the bytes that the filter sees, and only
// libpcap's own program knows where it is. The answer is libpcap's.
int set_filter(pcap_t* pcap, const std::string& expression) {
  bpf_program program{};
  const int compiled = pcap_compile(pcap, &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN);
  if (compiled != 0) return compiled;
  const int set = pcap_setfilter(pcap, &program);
  pcap_freecode(&program);
  return set;
}

// Captures from now on what the expression, which compile_filter accepts, matches; all when it is empty.
Result<Pcap> activate(const std::string& name, const std::string& filter) {
  char text[PCAP_ERRBUF_SIZE] = "";
  Pcap pcap(pcap_create(name.c_str(), text));
  if (!pcap) return fail(EIO, "pcapdev: " + name + ": " + text);
  pcap_set_snaplen(pcap.get(), kSnapshotBytes);
  pcap_set_buffer_size(pcap.get(), kBufferBytes);
  pcap_set_timeout(pcap.get(), 1);
  pcap_set_tstamp_precision(pcap.get(), PCAP_TSTAMP_PRECISION_NANO);
  if (const int answer = pcap_activate(pcap.get()); answer < 0) return pcap_error(answer, pcap.get(), name);
  if (pcap_datalink(pcap.get()) != DLT_EN10MB) {
    return fail(ENOTSUP, "pcapdev: " + name + " gives no Ethernet frames (its link type is " +
                             std::to_string(pcap_datalink(pcap.get())) + ")");
  }
  if (!filter.empty() && set_filter(pcap.get(), filter) != 0) return pcap_error(PCAP_ERROR, pcap.get(), name);
  const int on = 1;  // spares the host a copy of each frame that goes out; direction leaves them out in any case
  ::setsockopt(pcap_fileno(pcap.get()), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  if (pcap_setdirection(pcap.get(), PCAP_D_IN) != 0) return pcap_error(PCAP_ERROR, pcap.get(), name);
  if (pcap_setnonblock(pcap.get(), 1, text) != 0) return fail(EIO, "pcapdev: " + name + ": " + text);
  if (pcap_get_selectable_fd(pcap.get()) < 0) {
    return fail(ENOTSUP, "pcapdev: " + name + " has no descriptor to wait for");
  }
  return pcap;
}

// What it stands on, once all of it is open.
struct PcapdevParts {
  HostWire wire;
  PacketSocket members;  // whose memberships the interface follows
  std::string filter;
};

class PcapdevLink final : public drv::LinkPort {
 public:
  PcapdevLink(PcapdevParts parts, const drv::LinkCaps& caps, const drv::LinkOwner& owner, FdWatch& watch)
      : wire_(std::move(parts.wire)),
        members_(std::move(parts.members)),
        filter_(std::move(parts.filter)),
        caps_(caps),
        domain_(owner.domain),
        watch_(watch),
        retry_(owner.domain.callouts(), [this] { sink_->ready(); }) {}
  ~PcapdevLink() override { stop(); }

  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    delivered_ = 0;
    failures_ = 0;
    reported_drops_ = 0;
    Status begun = watch_.add(wire_.fd(), sink);
    if (begun && !wire_.interface().state().gone) begun = begin_capture(sink);
    if (!begun) end();
    return begun;
  }

  void stop() override {
    if (sink_ == nullptr) return;
    if (pcap_) report_rest();
    report_failed();
    end();
  }

  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    if (!pcap_) return {0, drv::SendStatus::network_down};
    for (std::size_t taken = 0; taken < frames.size(); ++taken) {
      const Bytes frame = frames[taken].slices[0];
      if (pcap_inject(pcap_.get(), frame.data(), frame.size()) >= 0) {
        refusals_ = 0;
        continue;
      }
      if (const std::optional<drv::SendStatus> status = refused(errno)) return {taken, *status};
    }
    return {frames.size(), drv::SendStatus::ok};
  }

  bool drain(std::size_t budget) override {
    retry_.cancel();
    report_failed();
    const bool more = pcap_ && receive(static_cast<int>(std::min<std::size_t>(budget, 1 << 20)));
    if (!more) wire_.tell(*sink_, caps_);
    return more;
  }

  void set_receive_filter(const drv::ReceiveFilter& filter) override {
    wanted_ = memberships_for(filter, wire_.interface().state().lladdr);
    if (pcap_) memberships_.become(wanted_, members_, wire_.interface().index());
  }

 private:
  Status begin_capture(drv::LinkSink& sink) {
    Result<Pcap> pcap = activate(wire_.interface().state().name, filter_);
    if (!pcap && pcap.error().number() == ENODEV) return {};  // the first drain tells
    if (!pcap) return std::move(pcap).error();
    pcap_ = std::move(*pcap);
    tick_ns_ = pcap_get_tstamp_precision(pcap_.get()) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    memberships_.become(wanted_, members_, wire_.interface().index());
    return watch_.add(pcap_get_selectable_fd(pcap_.get()), sink);
  }

  static void deliver(u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
    auto& link = *reinterpret_cast<PcapdevLink*>(self);
    const bool cut = header->caplen < header->len;
    const drv::RxFrame frame{
        .bytes = {reinterpret_cast<const std::byte*>(bytes), header->caplen},
        .wire_bytes = cut ? header->len : 0,
        .timestamp_ns = std::int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec * link.tick_ns_};
    ++link.delivered_;
    link.sink_->deliver({&frame, 1});
  }
  // An error may be an old one, that the interface was down; one that stays is for good.
  bool receive(int budget) {
    const int n = pcap_dispatch(pcap_.get(), budget, deliver, reinterpret_cast<u_char*>(this));
    if (n > 0) {
      failures_ = 0;
      return true;  // more, or so pcap_dispatch will say next time
    }
    report_drops();
    if (n == 0) return false;
    wire_.tell(*sink_, caps_);
    if (caps_.link_state == net::LinkState::down) return false;
    if (++failures_ < kTries) return true;
    const Error why = pcap_error(n, pcap_.get(), wire_.interface().state().name);
    report_rest();
    close_capture();
    watch_.remove(wire_.fd());
    caps_.link_state = net::LinkState::down;
    sink_->link_changed(net::LinkState::down, &why);
    return false;
  }

  // Status of the frame at the front, or nothing when it was counted and given up.
  std::optional<drv::SendStatus> refused(int number) {
    const bool full = number == EAGAIN || number == ENOBUFS || number == EINTR;
    if (full && ++refusals_ <= kTries) {
      retry_.schedule(domain_.now() + kRetryAfter);
      return drv::SendStatus::would_block;
    }
    if (number == EMSGSIZE) return drv::SendStatus::message_size;
    if (number == ENETDOWN || number == ENXIO || number == ENODEV) return drv::SendStatus::network_down;
    refusals_ = 0;
    ++failed_;
    sink_->ready();  // drain reports it
    return std::nullopt;
  }

  pcap_stat statistics() const {
    pcap_stat now{};
    if (pcap_stats(pcap_.get(), &now) != 0) now.ps_drop = reported_drops_;
    return now;
  }
  void report_drops() {
    const u_int drops = statistics().ps_drop;
    if (drops != reported_drops_) sink_->lost(DropReason::rx_overrun, drops - std::exchange(reported_drops_, drops));
  }
  void report_rest() {
    report_drops();
    const pcap_stat now = statistics();
    const std::uint64_t seen = std::uint64_t{now.ps_recv} - std::min(now.ps_recv, now.ps_drop);
    if (seen > delivered_) sink_->lost(DropReason::not_running, seen - delivered_);
  }
  void report_failed() {
    if (failed_ > 0) sink_->lost(DropReason::tx_error, std::exchange(failed_, 0));
  }
  void close_capture() {
    if (!pcap_) return;
    watch_.remove(pcap_get_selectable_fd(pcap_.get()));
    memberships_.become({}, members_, wire_.interface().index());
    pcap_.reset();
  }
  void end() {
    retry_.cancel();
    close_capture();
    watch_.remove(wire_.fd());
    sink_ = nullptr;
  }

  HostWire wire_;
  PacketSocket members_;  // holds the memberships: libpcap has none for groups
  const std::string filter_;
  drv::LinkCaps caps_;  // as last told
  net::Domain& domain_;
  FdWatch& watch_;
  Callout retry_;
  drv::LinkSink* sink_ = nullptr;  // null: stopped
  Pcap pcap_;                      // while started
  std::int64_t tick_ns_ = 1;       // of its times
  std::set<Membership> wanted_;
  Memberships memberships_;
  std::uint64_t delivered_ = 0, failed_ = 0;
  u_int reported_drops_ = 0;
  int failures_ = 0, refusals_ = 0;
};

}  // namespace

Result<drv::OpenLink> open_pcapdev_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch) {
  if (Status ok = needs_argument(linkstr, "the name of a network interface"); !ok) return std::move(ok).error();
  if (Status ok = only_options(linkstr, {"filter"}); !ok) return std::move(ok).error();
  const drv::Linkstr::Option* const option = linkstr.find("filter");
  std::string filter = option == nullptr ? "" : option->value.value_or("");
  const Result<net::BpfProgram> compiled = compile_filter(filter);
  if (!compiled) return fail(EINVAL, "pcapdev: filter: " + compiled.error().text);
  Result<HostWire> wire = HostWire::open("pcapdev", linkstr.argument);
  if (!wire) return std::move(wire).error();
  Result<PacketSocket> members = PacketSocket::open();
  if (!members) return std::move(members).error();
  Result<Pcap> tried = activate(linkstr.argument, filter);
  if (!tried) return std::move(tried).error();

  drv::LinkCaps caps;
  wire->describe(caps);
  const bool nano = pcap_get_tstamp_precision(tried->get()) == PCAP_TSTAMP_PRECISION_NANO;
  std::string chosen = std::string(pcap_lib_version()) + (nano ? "; nanoseconds" : "; microseconds");
  PcapdevParts parts{std::move(*wire), std::move(*members), std::move(filter)};
  return drv::OpenLink{std::make_unique<PcapdevLink>(std::move(parts), caps, owner, watch), caps, nullptr,
                       std::move(chosen)};
}

}  // namespace vif::host
