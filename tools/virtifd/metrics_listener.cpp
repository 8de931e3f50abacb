// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/metrics_listener.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

#include "hypercall/host_error.hpp"
#include "tools/control/parse_number.hpp"

namespace vif::tools {
namespace {

using boost::asio::ip::tcp;
using host::host_error;

constexpr std::string_view kUnix = "unix:";

Result<tcp::endpoint> endpoint_of(std::string_view where) {
  const auto wrong = [&] {
    return fail(EINVAL, "--metrics takes ADDRESS:PORT, as in 127.0.0.1:9199 or [::1]:9199, or unix:PATH, not '" +
                            std::string(where) + "'");
  };
  const std::size_t colon = where.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = where.substr(0, colon);
  const std::string_view digits = where.substr(colon + 1);
  const std::optional<std::uint16_t> port = parse_number<std::uint16_t>(digits);
  if (!port) return wrong();
  if (host == "localhost") host = "127.0.0.1";
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(std::string(host), no_address);
  if (no_address || address.is_v6() != in_brackets) return wrong();
  return tcp::endpoint(address, *port);
}

Result<MetricsListener> listen_at(const tcp::endpoint& endpoint, const std::string& where) {
  host::UniqueFd fd(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return host_error("cannot make a socket");
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  tcp::endpoint bound = endpoint;
  auto bytes = static_cast<socklen_t>(bound.capacity());
  if (::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0 || ::getsockname(fd.get(), bound.data(), &bytes) != 0) {
    return host_error("cannot serve metrics at " + where);
  }
  const std::string address = bound.address().to_string();
  const std::string host = bound.address().is_v6() ? "[" + address + "]" : address;
  return MetricsListener{std::move(fd), "http://" + host + ":" + std::to_string(bound.port()) + "/metrics", {}};
}

}  // namespace

Result<MetricsListener> listen_for_metrics(const std::string& where, MetricsReach reach, std::optional<gid_t> group) {
  if (where.starts_with(kUnix)) {
    Result<ControlSocket> file = ControlSocket::listen(where.substr(kUnix.size()), group);
    if (!file) return file.error();
    host::UniqueFd fd = file->take_fd();
    return MetricsListener{std::move(fd), where, std::move(*file)};
  }
  const Result<tcp::endpoint> endpoint = endpoint_of(where);
  if (!endpoint) return endpoint.error();
  if (reach == MetricsReach::this_machine && !endpoint->address().is_loopback()) {
    return fail(EINVAL,
                "--metrics " + where + " would be open to others: use 127.0.0.1 or [::1], or say --metrics-anywhere");
  }
  return listen_at(*endpoint, where);
}

Result<MetricsListener> adopt_for_metrics(host::UniqueFd fd) {
  if (Status listens = check_listens(fd.get()); !listens) return listens.error();
  return MetricsListener{std::move(fd), "a socket that was handed over", {}};
}

}  // namespace vif::tools
