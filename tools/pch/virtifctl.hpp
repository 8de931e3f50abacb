// SPDX-License-Identifier: BSD-2-Clause
// The heavy headers of virtifctl, parsed once for all of it (meson: cpp_pch).

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "hypercall/pch/host.hpp"
