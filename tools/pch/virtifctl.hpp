// SPDX-License-Identifier: BSD-2-Clause
// The heavy headers of virtifctl, parsed once for all of it (meson: cpp_pch).

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "hypercall/pch/host.hpp"
