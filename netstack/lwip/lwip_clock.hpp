// SPDX-License-Identifier: BSD-2-Clause
// What lwIP asks of its host, all of it global: the time (sys_now), chance (rand) and to be called again soon, all of
// which the one stack's domain gives. Domain's thread.
#pragma once

#include "netstack/domain.hpp"

namespace vif::net::lwip {

// Whose time sys_now() tells from here on; null: nobody's. True: lwIP asks us, not the library's own.
bool set_clock(Domain* domain);

// What lwIP sent to itself waits to be read: runs at the next poll. Null: nobody reads. Outlives its being set.
void set_loopback(Callout* reader);

}  // namespace vif::net::lwip
