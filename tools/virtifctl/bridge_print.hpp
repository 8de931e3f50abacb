// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl bridge` prints at the end.
#pragma once

#include "hypercall/host/bridge.hpp"

namespace vif::tools {

void print_text(const host::BridgedLinks& links, bool with_stations);
void print_json(const host::BridgedLinks& links, bool with_stations);

}  // namespace vif::tools
