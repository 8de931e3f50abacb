// SPDX-License-Identifier: BSD-2-Clause
// The hypercall line: what the driver needs from a host to reach a wire. Read this file first.
//
// A backend is opened from a link string, is passive, and belongs to one interface. Every call below is made on the
// interface's domain's thread, except LinkSink::ready(), which any thread may make. Frames include the 14-byte Ethernet
// header and never the FCS. One frame offered to send() is taken, refused or left; nothing is lost in between.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "netstack/base/drop_reason.hpp"
#include "netstack/base/result.hpp"
#include "netstack/if_flags.hpp"
#include "netstack/mac_address.hpp"
#include "netstack/mbuf.hpp"
#include "virtif/linkstr.hpp"

namespace vif::net {
class Domain;
}

namespace vif::drv {

// A frame from the wire, in one piece; borrowed for the call.
struct RxFrame {
  Bytes bytes;
  std::uint32_t wire_bytes = 0;   // length on the wire when `bytes` is cut; 0: not cut
  std::int64_t timestamp_ns = 0;  // since 1970-01-01 UTC; 0: unknown
  net::Offload offload = {};
};

// A frame for the wire, in pieces; borrowed for the call.
struct TxFrame {
  std::span<const Bytes> slices;  // 1 .. LinkCaps::slices_max of them, in wire order, none empty
  std::uint32_t bytes = 0;        // their sum
  net::Offload offload = {};
};

enum class SendStatus : std::uint8_t {
  ok,            // all taken
  would_block,   // keep the rest; the backend calls ready() when it takes more
  message_size,  // the first one not taken is too large: drop it, go on
  network_down,  // the wire is gone for now: drop the rest
};

struct SendResult {
  std::size_t taken = 0;               // from the front; copied or completed
  SendStatus status = SendStatus::ok;  // of the first frame not taken
};

// What the backend can do, as found when it was opened; LinkSink::caps_changed says what changes.
struct LinkCaps {
  std::uint32_t frame_bytes_max = 0;           // at least 64
  std::uint32_t frame_bytes_min = 0;           // shorter frames are padded with zeros to this (at most 60) before send
  std::uint16_t slices_max = 1;                // per frame; at least 1
  net::OffloadSet offload = {};                // frames it takes with Offload set; it may give any
  bool reflects = false;                       // our own frames come back
  std::optional<net::MacAddress> lladdr = {};  // the address the wire knows us by, when it has an opinion
  std::uint32_t mtu_bytes = 0;                 // the MTU of whoever else is on the wire; 0: no opinion
  net::LinkState link_state = net::LinkState::up;
  std::uint64_t baudrate = 0;  // bits per second; 0: unknown
};

// Which frames the driver wants. A hint: a backend may pass more, never less. Borrowed for the call.
struct ReceiveFilter {
  net::MacAddress lladdr;
  bool promisc = false;
  bool allmulti = false;
  std::span<const net::MacRange> groups = {};
};

// The driver, as its backend sees it.
class LinkSink {
 public:
  virtual ~LinkSink() = default;
  // Frames in wire order; only from inside LinkPort::drain.
  virtual void deliver(std::span<const RxFrame> frames) = 0;
  // There is something to drain, or send takes frames again. Any thread, any time between start and stop; never calls
  // back.
  virtual void ready() = 0;
  // The carrier came or went; `why` says more: always when it went for good. Only from inside drain.
  virtual void link_changed(net::LinkState state, const Error* why) = 0;
  // The wire itself is another than before: its address, MTU or largest frame. The offloads and slices stay. Borrowed
  // for the call. Only from inside drain.
  virtual void caps_changed(const LinkCaps& caps) = 0;
  // Frames the backend knows of and that come to nothing: other_linktype .. not_running, which were never delivered,
  // and tx_impaired or tx_error, which send had taken. Only from inside drain and stop.
  virtual void lost(DropReason reason, std::uint64_t frames) = 0;
};

// An open backend. Closing is destruction, after stop().
class LinkPort {
 public:
  virtual ~LinkPort() = default;

  // Begins to receive and takes `sink` until stop(). May be called again after stop; when the carrier came or went in
  // between, the first drain says so. On error nothing has begun.
  virtual Status start(LinkSink& sink) = 0;
  // No upcall after it returns. Never called from an upcall; harmless when not started.
  virtual void stop() = 0;
  // Takes frames from the front as far as it can; copied or completed on return. Makes no upcall to its own driver.
  virtual SendResult send(std::span<const TxFrame> frames) = 0;
  // Delivers at most `budget` frames and reports what else happened. True: there may be more; otherwise ready() will
  // tell.
  virtual bool drain(std::size_t budget) = 0;
  // Applies from now on; called before the first frame and after each change.
  virtual void set_receive_filter(const ReceiveFilter& filter) = 0;
};

// For the few backends that may refuse to be taken away (rump's DYING). Part of the port, destroyed with it.
class LinkDying {
 public:
  virtual ~LinkDying() = default;
  // Success: the link will be stopped and closed. An error has changed nothing and the link goes on as before.
  virtual Status dying() = 0;
};

struct OpenLink {
  std::unique_ptr<LinkPort> port;
  LinkCaps caps;
  LinkDying* dying = nullptr;  // null: never refuses
  std::string chosen = {};  // what it found on this host and uses, for people: "io_uring, 64 reads; csum, tso4, tso6"
};

// Whose link it will be. All of it outlives the link but the name and address, which are borrowed for the call.
struct LinkOwner {
  const std::string& ifname;
  const net::MacAddress& lladdr;
  net::Domain& domain;  // for its callouts, and for the host to know which of its loops this is
};

// How the driver turns a link string into a link: the host's table of schemes.
class LinkOpener {
 public:
  virtual ~LinkOpener() = default;
  // Validates everything and takes what it needs from the host, but receives nothing yet. EINVAL: no such scheme (the
  // text lists those there are) or a wrong argument; else the host's errno.
  virtual Result<OpenLink> open(const Linkstr& linkstr, const LinkOwner& owner) = 0;
  // As much of that as can be judged without asking the host. Success is no promise.
  virtual Status check(const Linkstr& linkstr) const { return (void)linkstr, Status(); }
};

}  // namespace vif::drv
