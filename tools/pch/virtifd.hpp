// SPDX-License-Identifier: BSD-2-Clause
// The heavy headers of virtifd, parsed once for all of it (meson: cpp_pch).

#include <fmt/core.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "hypercall/pch/host.hpp"
