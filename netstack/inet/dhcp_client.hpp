// SPDX-License-Identifier: BSD-2-Clause
// A DHCPv4 client (RFC 2131; routes: RFC 3442): gives one interface an address and routes for as long as a server lets
// it, and tells a listener of the rest. It stands on an Inet as any user of one does.
//
// Owned by the caller; the Inet and the listener outlive it, and it stops by itself when the interface departs. Not to
// be destroyed from inside the listener. Domain's thread.
//
//   init ─> selecting ─> requesting ─> probing ─> bound ─> renewing ─> rebinding ─> init
//     rebooting ───────────────────────┘ the address is claimed first (RFC 5227); who else has it: DECLINE, and init
#pragma once

#include "netstack/domain.hpp"
#include "netstack/inet/dhcp_message.hpp"
#include "netstack/inet/inet.hpp"

namespace vif::net::inet {

enum class DhcpState : std::uint8_t {
  stopped,
  init,        // about to ask
  selecting,   // asked for offers
  requesting,  // asked for what was offered
  rebooting,   // asked for the address it had (RFC 2131, 3.2)
  probing,     // has it, and claims it on the link
  bound,
  renewing,   // asked the server for more time
  rebinding,  // asked any server
};

struct DhcpLease {
  IpPrefix address;
  IpAddress server;
  std::vector<DhcpRoute> routes;
  std::vector<IpAddress> dns;
  std::uint16_t mtu_bytes = 0;  // 0: the server does not say. For the listener to apply.
  Time renew_at = Time::max(), rebind_at = Time::max(), until = Time::max();  // max: for ever
};

class DhcpListener {
 public:
  virtual ~DhcpListener() = default;
  // In use from now on, or for longer, or with other routes or servers. Null: the lease is over, the address gone. From
  // inside upcalls and callouts.
  virtual void lease_changed(Ifnet& ifp, const DhcpLease* lease) = 0;
};

// What was sent, and heard from servers.
struct DhcpData {
  std::uint64_t discovers = 0, requests = 0, declines = 0, releases = 0;
  std::uint64_t offers = 0, acks = 0, naks = 0;
  std::uint64_t ignored = 0;  // not a reply to what we asked last, or not one that anybody could use
};

class VIF_API DhcpClient final : private InetListener, private IfEventListener {
 public:
  // RFC 2131, 4.1: a retransmission after 4, 8, 16, 32, then 64 seconds, each one more or less.
  static constexpr Time kRetransmit = std::chrono::seconds(4), kRetransmitMax = std::chrono::seconds(64);
  static constexpr int kRequestsMax = 4;                               // in vain; then all over again
  static constexpr int kRebootsMax = 2;                                // the same
  static constexpr Time kDeclineWait = std::chrono::seconds(10);       // RFC 2131, 3.1, 5
  static constexpr Time kRenewIntervalMin = std::chrono::seconds(60);  // RFC 2131, 4.4.5
  // So that many who start at once do not ask at once; RFC 2131, 4.4.1 has them wait for ten.
  static constexpr Time kStartWithin = std::chrono::seconds(1);
  // A lease shorter than this would be over before its address is claimed.
  static constexpr std::uint32_t kLeaseSecondsMin = 10;

  DhcpClient(Inet& inet, Ifnet& ifp, DhcpListener& listener);
  // What the lease gave is taken away again, without a word to listener or server.
  ~DhcpClient() override;

  // Begins. `had`: the address it had before it was last stopped, to be asked for first. ENXIO: the interface is not
  // attached. EADDRINUSE: its port 68 is taken. EALREADY: it has begun.
  Status start(const IpAddress& had = kAny4);
  // Ends: gives the lease back to the server, and takes away what it gave.
  void release();

  DhcpState state() const { return state_; }
  const std::optional<DhcpLease>& lease() const { return lease_; }  // from `probing` on
  const DhcpData& read() const { return data_; }

 private:
  void address_changed(Ifnet& ifp, const InterfaceAddress& address, AddressEvent event) override;
  void if_arrived(Ifnet&) override {}
  void if_departed(Ifnet& ifp) override;
  void if_link_changed(Ifnet& ifp) override;

  Time now() const { return domain_.now(); }
  Time random_below(Time end);
  void begin_at(Time when);
  void run_due();
  void enter(DhcpState state);
  void ask_again();
  void send(DhcpType type, const IpAddress& to);
  void hear();
  void take(const DhcpReply& reply);
  bool is_usable(const DhcpReply& reply) const;
  void offered(const DhcpReply& offer);
  void acknowledged(const DhcpReply& ack);
  void refused();
  void become_bound();
  void set_routes(const std::vector<DhcpRoute>& before);
  void lose_lease();
  void stop();

  Inet& inet_;
  Ifnet& ifp_;
  Domain& domain_;
  DhcpListener& listener_;
  std::unique_ptr<UdpSocket> socket_;
  Callout due_;
  DhcpState state_ = DhcpState::stopped;
  std::optional<DhcpLease> lease_;
  bool told_ = false;                          // the listener knows of the lease
  IpAddress wanted_ = kAny4, server_ = kAny4;  // what was offered, and by whom
  std::uint32_t transaction_ = 0;
  int asked_ = 0;     // in this state
  int failures_ = 0;  // since it was last bound
  Time began_{}, asked_at_{};
  DhcpData data_;
};

}  // namespace vif::net::inet
