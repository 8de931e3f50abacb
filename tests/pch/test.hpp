// SPDX-License-Identifier: BSD-2-Clause
// What most tests include, parsed once for a whole test program (meson: cpp_pch).

#include <gtest/gtest.h>

#include "hypercall/pch/host.hpp"
