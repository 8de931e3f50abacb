// SPDX-License-Identifier: BSD-2-Clause
// lwIP's clock and dice, both global: sys_now() reads the domain of the one stack, srand() is fed from its chance.
// Domain's thread.
#pragma once

#include "netstack/domain.hpp"

namespace vif::net::lwip {

// Whose time sys_now() tells from here on; null: nobody's. True: lwIP asks us, not the library's own.
bool set_clock(Domain* domain);

}  // namespace vif::net::lwip
