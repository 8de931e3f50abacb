// SPDX-License-Identifier: BSD-2-Clause
// What most files of the host side include, parsed once for a whole library (meson: cpp_pch).

#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "netstack/pch/pure.hpp"
