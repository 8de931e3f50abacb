// SPDX-License-Identifier: BSD-2-Clause
// What lwIP's own record of a connection says, and what may be set in it.
#include "netstack/lwip/lwip_headers.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::net::lwip {
namespace {

static_assert(static_cast<int>(TcpState::syn_sent) == SYN_SENT && static_cast<int>(TcpState::time_wait) == TIME_WAIT,
              "lwIP counts the states as RFC 9293 lists them");

constexpr int kRttEighths = 8;  // tcp_pcb::sa is eight times the smoothed round-trip time, in slow ticks

std::uint32_t ticks_ms(int ticks) { return static_cast<std::uint32_t>(std::max(ticks, 0) * TCP_SLOW_INTERVAL); }

}  // namespace

void TcpConnection::set(const TcpOptions& options) {
  if (pcb_ == nullptr) return;
  if (options.no_delay) tcp_nagle_disable(pcb_);
  else tcp_nagle_enable(pcb_);
  if (options.keep_alive) ip_set_option(pcb_, SOF_KEEPALIVE);
  else ip_reset_option(pcb_, SOF_KEEPALIVE);
  pcb_->keep_idle = options.keep_idle_ms;
  pcb_->keep_intvl = options.keep_interval_ms;
  pcb_->keep_cnt = options.keep_probes;
  pcb_->ttl = options.ttl;
  pcb_->tos = options.tos;
}

TcpInfo TcpConnection::read() const {
  TcpInfo info;
  info.unread = pending_ == nullptr ? 0 : pending_->tot_len;
  if (pcb_ == nullptr) return info;
  info.state = static_cast<TcpState>(pcb_->state);
  info.mss = pcb_->mss;
  info.cwnd = pcb_->cwnd;
  info.ssthresh = pcb_->ssthresh;
  info.peer_window = pcb_->snd_wnd;
  info.unacked = pcb_->snd_nxt - pcb_->lastack;
  info.unsent = pcb_->snd_lbb - pcb_->snd_nxt;
  info.rto_ms = ticks_ms(pcb_->rto);
  info.rtt_ms = ticks_ms(pcb_->sa) / kRttEighths;
  info.retransmits = pcb_->nrtx;
  return info;
}

}  // namespace vif::net::lwip
