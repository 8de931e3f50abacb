// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/dhcp_client.hpp"

#include <algorithm>

namespace vif::net::inet {

DhcpClient::DhcpClient(Inet& inet, Ifnet& ifp, DhcpListener& listener)
    : inet_(inet), ifp_(ifp), domain_(ifp.domain()), listener_(listener), due_(domain_.callouts(), [this] {
        run_due();
      }) {
  inet_.listen(*this);
  domain_.listen(*this);
}

DhcpClient::~DhcpClient() {
  told_ = false;
  stop();
  domain_.unlisten(*this);
  inet_.unlisten(*this);
}

Status DhcpClient::start(const IpAddress& had) {
  if (state_ != DhcpState::stopped) return fail(EALREADY, ifp_.name() + " asks for an address already");
  Result<std::unique_ptr<UdpSocket>> opened =
      inet_.open_udp({.address = kAny4, .port = kDhcpClientPort, .only = &ifp_});
  if (!opened) return std::move(opened).error();
  socket_ = std::move(*opened);
  socket_->on_readable([this] { hear(); });
  failures_ = 0;
  wanted_ = had;
  begin_at(now() + random_below(kStartWithin));
  return {};
}

void DhcpClient::release() {
  if (lease_) send(DhcpType::release, lease_->server);
  stop();
}

void DhcpClient::stop() {
  state_ = DhcpState::stopped;
  due_.cancel();
  socket_.reset();
  lose_lease();
}

Time DhcpClient::random_below(Time end) {
  return Time(static_cast<Time::rep>(domain_.random().next() % static_cast<std::uint64_t>(end.count())));
}

void DhcpClient::begin_at(Time when) {
  state_ = DhcpState::init;
  due_.schedule(when);
}

// --- asking ---

void DhcpClient::run_due() {
  switch (state_) {
    case DhcpState::stopped:
    case DhcpState::probing:
      return;
    case DhcpState::init:
      began_ = now();
      return enter(wanted_ != kAny4 ? DhcpState::rebooting : DhcpState::selecting);
    case DhcpState::selecting:
      return ask_again();
    case DhcpState::requesting:
      return asked_ < kRequestsMax ? ask_again() : refused();
    case DhcpState::rebooting:
      if (asked_ < kRebootsMax) return ask_again();
      if (lease_ && now() < lease_->until) return become_bound();  // RFC 2131, 3.2, 4: it is still ours
      wanted_ = kAny4;
      return refused();
    case DhcpState::bound:
      began_ = now();
      return enter(DhcpState::renewing);
    case DhcpState::renewing:
      return now() < lease_->rebind_at ? ask_again() : enter(DhcpState::rebinding);
    case DhcpState::rebinding:
      return now() < lease_->until ? ask_again() : refused();
  }
}

// All questions but the one about an offer begin a transaction of their own.
void DhcpClient::enter(DhcpState state) {
  state_ = state;
  asked_ = 0;
  if (state != DhcpState::requesting) transaction_ = static_cast<std::uint32_t>(domain_.random().next());
  ask_again();
}

// RFC 2131, 4.1 for when to ask again; with a lease 4.4.5.
void DhcpClient::ask_again() {
  constexpr Time kJitter = std::chrono::seconds(1);
  const Time backoff = std::min(kRetransmit * (1 << std::min(asked_, 4)), kRetransmitMax);
  Time next = now() + backoff - kJitter + random_below(2 * kJitter);
  if (state_ == DhcpState::renewing || state_ == DhcpState::rebinding) {
    const Time end = state_ == DhcpState::renewing ? lease_->rebind_at : lease_->until;
    next = std::min(end, now() + std::max(kRenewIntervalMin, (end - now()) / 2));
  }
  ++asked_;
  asked_at_ = now();
  due_.schedule(next);
  const bool to_server = state_ == DhcpState::renewing;
  send(state_ == DhcpState::selecting ? DhcpType::discover : DhcpType::request,
       to_server ? lease_->server : kLimitedBroadcast);
}

// What does not get out is as good as lost: it is asked for again. RFC 2131, 4.3.2 and 4.4.1: what goes where.
void DhcpClient::send(DhcpType type, const IpAddress& to) {
  const bool extends = state_ == DhcpState::renewing || state_ == DhcpState::rebinding;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now() - began_).count();
  DhcpRequest request{.type = type, .transaction = transaction_, .client = ifp_.lladdr()};
  if (type == DhcpType::release) {
    request.ours = lease_->address.address;
    request.server = server_;
    ++data_.releases;
  } else if (type == DhcpType::decline) {
    request.requested = wanted_;
    request.server = server_;
    ++data_.declines;
  } else {
    request.seconds = static_cast<std::uint16_t>(std::min<decltype(seconds)>(seconds, 0xffff));
    request.broadcast = !extends;
    if (extends) request.ours = lease_->address.address;
    else if (type == DhcpType::request) request.requested = wanted_;
    if (state_ == DhcpState::requesting) request.server = server_;
    ++(type == DhcpType::discover ? data_.discovers : data_.requests);
  }
  (void)socket_->send_to(request.store(), {.address = to, .port = kDhcpServerPort});
}

// --- hearing ---

void DhcpClient::hear() {
  while (std::optional<UdpDatagram> datagram = socket_ ? socket_->receive() : std::nullopt) {
    std::array<std::byte, DhcpReply::kBytesMax> bytes;
    const std::size_t length = datagram->payload->pkthdr.len;
    const bool from_server = datagram->from_port == kDhcpServerPort && length <= bytes.size();
    std::optional<DhcpReply> reply;
    if (from_server) {
      m_copydata(*datagram->payload, 0, MutBytes(bytes).first(length));
      reply = DhcpReply::parse(Bytes(bytes).first(length));
    }
    const bool ours =
        reply && reply->transaction == transaction_ && reply->client == ifp_.lladdr() && reply->server.is_unicast();
    if (ours) take(*reply);
    else ++data_.ignored;
  }
}

// Only what was asked for, and by whom it was asked; any server may answer what all were asked (RFC 2131, 3.1 and 3.2).
void DhcpClient::take(const DhcpReply& reply) {
  const bool one_server = state_ == DhcpState::requesting || state_ == DhcpState::renewing;
  const bool asked = one_server || state_ == DhcpState::rebooting || state_ == DhcpState::rebinding;
  const bool from_asked = asked && (!one_server || reply.server == server_);
  if (state_ == DhcpState::selecting && reply.type == DhcpType::offer && is_usable(reply)) return offered(reply);
  if (from_asked && reply.type == DhcpType::ack && reply.address == wanted_ && is_usable(reply)) {
    return acknowledged(reply);
  }
  if (from_asked && reply.type == DhcpType::nak) {
    ++data_.naks;
    wanted_ = kAny4;
    return refused();
  }
  ++data_.ignored;
}

// An address that a host can have, for long enough to claim it.
bool DhcpClient::is_usable(const DhcpReply& reply) const {
  const IpPrefix prefix{reply.address, reply.prefix_bits};
  constexpr unsigned kPointToPointBits = 31;  // RFC 3021: both are hosts
  const bool is_network = prefix.bits < kPointToPointBits && prefix.network().address == reply.address;
  return reply.address.is_unicast() && !reply.address.is_loopback() && !is_network &&
         prefix.broadcast() != reply.address && reply.lease_s >= kLeaseSecondsMin;
}

void DhcpClient::offered(const DhcpReply& offer) {
  ++data_.offers;
  wanted_ = offer.address;
  server_ = offer.server;
  enter(DhcpState::requesting);
}

// The lease is over, or there was none: all over again, and later each time.
void DhcpClient::refused() {
  constexpr int kDoublingsMax = 6;
  wanted_ = kAny4;
  begin_at(now() + std::chrono::seconds(1 << std::min(failures_++, kDoublingsMax)) + random_below(kStartWithin));
  lose_lease();
}

// --- what happens to the interface ---

void DhcpClient::address_changed(Ifnet& ifp, const InterfaceAddress& address, AddressEvent event) {
  if (&ifp != &ifp_ || !lease_ || address.address() != lease_->address.address) return;
  if (event == AddressEvent::ready && state_ == DhcpState::probing) return become_bound();
  if (event == AddressEvent::duplicate) {  // RFC 2131, 3.1, 5
    wanted_ = lease_->address.address;
    send(DhcpType::decline, kLimitedBroadcast);
    wanted_ = kAny4;
    begin_at(now() + kDeclineWait + random_below(kStartWithin));
    lose_lease();
  } else if (event == AddressEvent::gone) {
    refused();
  }
}

void DhcpClient::if_departed(Ifnet& ifp) {
  if (&ifp == &ifp_) stop();
}

// Perhaps to another network: RFC 2131, 3.7.
void DhcpClient::if_link_changed(Ifnet& ifp) {
  if (&ifp != &ifp_ || state_ == DhcpState::stopped || ifp.link_state() == LinkState::down) return;
  wanted_ = lease_ ? lease_->address.address : kAny4;
  begin_at(now() + random_below(kStartWithin));
}

}  // namespace vif::net::inet
