// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_stack.hpp"

#include <algorithm>
#include <list>

#include "netstack/lwip/lwip_clock.hpp"
#include "netstack/lwip/lwip_netif.hpp"

namespace vif::net::lwip {
namespace {

// lwIP can be set up once in a process; a stack that is gone leaves it set up.
bool set_up = false;
bool in_use = false;

constexpr std::uint32_t kForever = SYS_TIMEOUTS_SLEEPTIME_INFINITE;

// Makes lwIP forget what connections left waiting and what never became whole: it may hold our mbufs.
void forget_all() {
  while (tcp_tw_pcbs != nullptr) ::tcp_abort(tcp_tw_pcbs);
  while (tcp_active_pcbs != nullptr) ::tcp_abort(tcp_active_pcbs);
  for (int second = 0; second <= std::max(IP_REASS_MAXAGE, IPV6_REASS_MAXAGE); ++second) {
    ::ip_reass_tmr();
    ::ip6_reass_tmr();
  }
}

}  // namespace

struct LwipStack::State final : IfEventListener {
  explicit State(Domain& domain_in)
      : domain(domain_in),
        timer(domain.callouts(), [this] { run_timers(); }),
        loopback(domain.callouts(), [this] { read_loopback(); }) {}

  void run_timers() {
    ::sys_check_timeouts();
    rearm();
  }
  void read_loopback() {
    for (LwipNetif& n : netifs) ::netif_poll(&n.lwip());
    rearm();
  }
  void rearm() {
    const std::uint32_t wait_ms = ::sys_timeouts_sleeptime();
    if (wait_ms == kForever) return timer.cancel();
    const auto now_ms = std::chrono::floor<std::chrono::milliseconds>(domain.now());
    const Time due = now_ms + std::chrono::milliseconds(wait_ms);
    if (timer.pending() && due == armed_for) return;
    armed_for = due;
    timer.schedule(due);
  }

  std::list<LwipNetif>::iterator find(const Ifnet& ifp) {
    return std::find_if(netifs.begin(), netifs.end(), [&](LwipNetif& n) { return &n.ifp() == &ifp; });
  }

  void if_arrived(Ifnet&) override {}
  void if_departed(Ifnet& ifp) override {
    if (const auto at = find(ifp); at != netifs.end()) netifs.erase(at);
  }
  void if_link_changed(Ifnet& ifp) override {
    if (const auto at = find(ifp); at != netifs.end()) at->follow_link();
  }

  Domain& domain;
  Callout timer, loopback;
  Time armed_for{};
  LwipNetif::Shared shared;
  std::list<LwipNetif> netifs;
};

Result<std::unique_ptr<LwipStack>> LwipStack::create(Domain& domain, const Config& config) {
  if (in_use)
    return fail(std::errc::device_or_resource_busy, "lwIP has one stack a process, and this one has it already");
  if (!std::exchange(set_up, true)) ::lwip_init();
  if (!set_clock(&domain)) {
    set_clock(nullptr);
    return fail(ENOTSUP,
                "lwIP reads a clock of its own: link libvirtif-lwip before liblwip, or, when it is linked statically, "
                "let the program export its symbols (-Wl,--export-dynamic)");
  }
  in_use = true;
  auto state = std::make_unique<State>(domain);
  state->shared.connections_max = config.connections_max;
  std::unique_ptr<LwipStack> stack(new LwipStack(std::move(state)));
  stack->state_->shared.stack = stack.get();
  domain.listen(*stack->state_);
  set_loopback(&stack->state_->loopback);
  stack->rearm();
  return stack;
}

LwipStack::LwipStack(std::unique_ptr<State> state) : state_(std::move(state)) {}

LwipStack::~LwipStack() {
  state_->domain.unlisten(*state_);
  state_->netifs.clear();
  forget_all();
  set_loopback(nullptr);
  set_clock(nullptr);
  in_use = false;
}

void LwipStack::rearm() { state_->rearm(); }

Status LwipStack::attach(Ifnet& ifp) {
  if (&ifp.domain() != &state_->domain) {
    return fail(std::errc::invalid_argument, ifp.name() + " belongs to another domain than the stack");
  }
  if (state_->find(ifp) != state_->netifs.end()) {
    return fail(std::errc::file_exists, ifp.name() + " is attached to lwIP already");
  }
  if (Status up = ifp.ioctl(InitAddress{}); !up) return up;
  LwipNetif& added = state_->netifs.emplace_back(ifp, state_->shared);
  if (Status ok = added.add(); !ok) {
    state_->netifs.pop_back();
    return ok;
  }
  if (netif_default == nullptr) ::netif_set_default(&added.lwip());
  rearm();
  return {};
}

namespace {

Error not_attached(const Ifnet& ifp) { return fail(ENXIO, ifp.name() + " is not attached to lwIP: attach it first"); }

}  // namespace

Status LwipStack::detach(Ifnet& ifp) {
  const auto at = state_->find(ifp);
  if (at == state_->netifs.end()) return not_attached(ifp);
  state_->netifs.erase(at);
  rearm();
  return {};
}

Status LwipStack::add_address(Ifnet& ifp, const inet::IpPrefix& prefix) {
  const auto at = state_->find(ifp);
  if (at == state_->netifs.end()) return not_attached(ifp);
  if (!prefix.address.is_unicast()) {
    return fail(std::errc::invalid_argument, prefix.to_string() + " is no host's address");
  }
  const ip_addr_t address = to_lwip(prefix.address);
  if (!prefix.address.is_v4()) {
    s8_t place = 0;
    if (::netif_add_ip6_address(&at->lwip(), ip_2_ip6(&address), &place) != ERR_OK) {
      return fail(std::errc::no_buffer_space, ifp.name() + " has no room for another IPv6 address");
    }
  } else {
    const std::uint32_t mask = prefix.bits == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix.bits);
    const ip_addr_t netmask = to_lwip(inet::IpAddress::v4(mask));
    ::netif_set_addr(&at->lwip(), ip_2_ip4(&address), ip_2_ip4(&netmask), netif_ip4_gw(&at->lwip()));
  }
  rearm();
  return {};
}

Status LwipStack::set_gateway(Ifnet& ifp, const inet::IpAddress& gateway) {
  const auto at = state_->find(ifp);
  if (at == state_->netifs.end()) return not_attached(ifp);
  if (!gateway.is_v4())
    return fail(std::errc::invalid_argument, "IPv6 routers announce themselves; a gateway is IPv4's");
  const ip_addr_t address = to_lwip(gateway);
  ::netif_set_gw(&at->lwip(), ip_2_ip4(&address));
  ::netif_set_default(&at->lwip());
  return {};
}

LwipData LwipStack::read() const {
  const LwipNetif::Shared& shared = state_->shared;
  return {shared.syn_refused.get(), shared.own_source.get(), shared.copied.get()};
}

ip_addr_t to_lwip(const inet::IpAddress& address) {
  ip_addr_t to{};
  if (address.is_v4()) {
    IP_SET_TYPE_VAL(to, IPADDR_TYPE_V4);
    address.store4(reinterpret_cast<std::byte*>(&ip_2_ip4(&to)->addr));
    return to;
  }
  IP_SET_TYPE_VAL(to, IPADDR_TYPE_V6);
  address.store6(reinterpret_cast<std::byte*>(ip_2_ip6(&to)->addr));
  ip6_addr_assign_zone(ip_2_ip6(&to), IP6_UNKNOWN, netif_default);
  return to;
}

inet::IpAddress from_lwip(const ip_addr_t& address) {
  if (IP_IS_V4_VAL(address))
    return inet::IpAddress::load4(reinterpret_cast<const std::byte*>(&ip_2_ip4(&address)->addr));
  return inet::IpAddress::load6(reinterpret_cast<const std::byte*>(ip_2_ip6(&address)->addr));
}

Error lwip_error(err_t error, const char* what) {
  const int number = error == ERR_ABRT ? ECONNABORTED : error == ERR_RST ? ECONNRESET : ::err_to_errno(error);
  return fail(number, std::string(what) + ": " + std::generic_category().message(number));
}

}  // namespace vif::net::lwip
