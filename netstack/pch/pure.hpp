// SPDX-License-Identifier: BSD-2-Clause
// What most pure files include, parsed once for a whole library (meson: cpp_pch). Source files still include what they
// use: -Db_pch=false compiles them without it.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
