// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_clock.hpp"

#include "netstack/lwip/lwip_headers.hpp"

namespace vif::net::lwip {
namespace {

Domain* domain_of_stack = nullptr;
Callout* loopback_reader = nullptr;
std::uint64_t times_asked = 0;

}  // namespace

bool set_clock(Domain* domain) {
  domain_of_stack = domain;
  if (domain == nullptr) return true;
  ::srand(static_cast<unsigned>(domain->random().next()));
  const std::uint64_t before = times_asked;
  ::sys_restart_timeouts();
  return times_asked > before;
}

void set_loopback(Callout* reader) { loopback_reader = reader; }

}  // namespace vif::net::lwip

// lwIP's own names, which have to win over those in its library.
extern "C" VIF_API u32_t sys_now() {
  using namespace vif::net::lwip;
  ++times_asked;
  if (domain_of_stack == nullptr) return 0;
  return static_cast<u32_t>(std::chrono::floor<std::chrono::milliseconds>(domain_of_stack->now()).count());
}

// In lwIP a message to its own thread, without which it ends the process. All it is used for is netif_poll.
extern "C" VIF_API err_t tcpip_try_callback(tcpip_callback_fn, void*) {
  using namespace vif::net::lwip;
  if (loopback_reader != nullptr) loopback_reader->schedule(domain_of_stack->now());
  return ERR_OK;
}
