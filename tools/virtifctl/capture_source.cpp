// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_source.hpp"

#include <sys/socket.h>

#include "hypercall/host_error.hpp"
#include "tools/virtifctl/daemon_client.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

// Throws what nlohmann/json does for another kind of answer.
CaptureSource::Interface interface_of(const Json& link) {
  CaptureSource::Interface interface {
    .name = link.at("ifname"), .linkstr = {}, .mtu_bytes = link.at("mtu"), .address = {}
  };
  const Json& linkstr = link.at("virtif").at("linkstr");
  if (linkstr.is_string()) interface.linkstr = linkstr;
  const Result<net::MacAddress> address = net::MacAddress::parse(link.at("address").get_ref<const std::string&>());
  if (address) interface.address = *address;
  return interface;
}

}  // namespace

Result<CaptureSource> CaptureSource::open(const std::string& socket_path, const Json& params) {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_path);
  if (!daemon) return daemon.error();
  const Result<Json> answer = daemon->call("capture", params);
  if (!answer) return answer.error();
  auto [fd, come] = std::move(*daemon).give_away();
  CaptureSource source(std::move(fd), std::move(come));
  if (Status taken = source.take_answer(*answer); !taken) return taken.error();
  return source;
}

Status CaptureSource::take_answer(const Json& answer) {
  try {
    begun_ns_ = answer.at("time_ns");
    snap_bytes_ = answer.at("snaplen");
    for (const Json& link : answer.at("interfaces")) interfaces_.push_back(interface_of(link));
    return {};
  } catch (const Json::exception&) {  // the only way to learn that something is missing
    return fail(EPROTO, "this is no virtifd: an answer to capture was expected");
  }
}

Result<bool> CaptureSource::read() {
  in_.erase(0, std::exchange(taken_bytes_, 0));
  const std::size_t had = in_.size();
  in_.resize(had + kReadBytes);
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), in_.data() + had, kReadBytes, 0);
    if (got < 0 && errno == EINTR) continue;
    in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != ECONNRESET) return host::host_error("cannot hear virtifd");
    return got > 0;
  }
}

Result<std::optional<host::CaptureRecord>> CaptureSource::next() {
  const Bytes rest = as_bytes(std::string_view(in_)).subspan(taken_bytes_);
  auto record = host::parse_capture_record(rest, interfaces_.size());
  if (record && *record) taken_bytes_ += host::kCaptureHeadBytes + (**record).body.size();
  return record;
}

void CaptureSource::end() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace vif::tools
