// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_source.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "hypercall/host_error.hpp"
#include "tools/virtifctl/daemon_client.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

Result<TraceSource> TraceSource::open(const std::string& socket_path, std::string_view method, const Json& params) {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_path);
  if (!daemon) return daemon.error();
  const Result<Json> answer = daemon->call(method, params);
  if (!answer) return answer.error();
  auto [fd, come] = std::move(*daemon).give_away();
  return TraceSource(std::move(fd), std::move(come));
}

void TraceSource::end() { ::shutdown(fd_.get(), SHUT_WR); }

void TraceSource::wait(Deadline& deadline) {
  int wait_ms = -1;
  if (deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
    wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }
  pollfd come{fd_.get(), POLLIN, 0};
  if (::poll(&come, 1, wait_ms) != 0 || !deadline || std::chrono::steady_clock::now() < *deadline) return;
  end();
  deadline.reset();
}

Result<bool> TraceSource::read(Deadline& deadline) {
  in_.erase(0, std::exchange(taken_bytes_, 0));
  const std::size_t had = in_.size();
  for (;;) {
    wait(deadline);
    in_.resize(had + kReadBytes);
    const ssize_t got = ::recv(fd_.get(), in_.data() + had, kReadBytes, MSG_DONTWAIT);
    const int error = errno;
    in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got >= 0 || error == ECONNRESET) return got > 0;
    if (error != EINTR && error != EAGAIN) return host::host_error("cannot hear virtifd");
  }
}

Result<std::optional<host::TraceItem>> TraceSource::next() {
  auto item = host::parse_trace_item(as_bytes(std::string_view(in_)).subspan(taken_bytes_));
  if (item && *item) taken_bytes_ += host::kTraceItemHeadBytes + (**item).body.size();
  return item;
}

}  // namespace vif::tools
