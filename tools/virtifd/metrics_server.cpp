// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/metrics_server.hpp"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <vector>

#include "tools/virtifd/metrics_text.hpp"

namespace vif::tools {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // when descriptors are short

// One thing at a time is under way: reading, measuring or writing. Its handler goes on, or ends the connection.
struct Connection {
  explicit Connection(Socket socket) : stream(std::move(socket)) {
    request.header_limit(MetricsServer::kRequestBytesMax);
  }

  beast::basic_stream<asio::generic::stream_protocol> stream;
  beast::flat_buffer in{MetricsServer::kRequestBytesMax};
  http::request_parser<http::empty_body> request;
  http::response<http::string_body> response;
};

// The target without what is behind a question mark.
std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

struct MetricsServer::State {
  State(asio::io_context& context, MetricsListener listener_in, Source& source_in)
      : listener(std::move(listener_in)), source(source_in), acceptor(context), pause(context) {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    (void)::getsockname(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &bytes);
    acceptor.assign(asio::generic::stream_protocol(address.ss_family, 0), listener.fd.get());
    (void)listener.fd.release();
    accept();
  }

  void accept() {
    acceptor.async_accept([this](const error_code& error, Socket client) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        pause.expires_after(kAcceptPause);
        return pause.async_wait([this](const error_code& ended) { ended ? void() : accept(); });
      }
      welcome(std::move(client));
      accept();
    });
  }

  void welcome(Socket client) {
    if (connections.size() >= kConnectionsMax) drop_oldest();
    const std::uint64_t id = ++last_id;
    Connection& connection = *connections.emplace(id, std::make_unique<Connection>(std::move(client))).first->second;
    connection.stream.expires_after(kPatience);
    http::async_read_header(connection.stream, connection.in, connection.request,
                            [this, id](const error_code& error, std::size_t) { requested(id, error); });
  }

  void drop_oldest() {
    const auto oldest = std::ranges::find_if(connections, [](auto& c) { return c.second->stream.socket().is_open(); });
    if (oldest == connections.end()) return;
    if (std::erase(waiting, oldest->first) > 0) connections.erase(oldest);
    else oldest->second->stream.close();  // its handler removes it
  }

  void requested(std::uint64_t id, const error_code& error) {
    const bool spoke = !error || error.category() == error_code(http::error::bad_method).category();
    if (!spoke || error == http::error::end_of_stream) return (void)connections.erase(id);
    Connection& connection = *connections.at(id);
    const auto& request = connection.request.get();
    if (error) return answer(id, http::status::bad_request, "An HTTP/1.1 request of at most 8 KiB was expected.\n");
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      connection.response.set(http::field::allow, "GET, HEAD");
      return answer(id, http::status::method_not_allowed, "Metrics are asked for with GET.\n");
    }
    if (path_of({request.target().data(), request.target().size()}) != "/metrics") {
      return answer(id, http::status::not_found, "Metrics are at /metrics.\n");
    }
    waiting.push_back(id);
    if (!measuring) measure();
  }

  // One measurement at a time, for all who wait: asking often costs the domain no more.
  void measure() {
    measuring = source.measure([this](const std::string& text) { measured(http::status::ok, text); });
    if (!measuring) measured(http::status::service_unavailable, "virtifd is busy: try again.\n");
  }

  void measured(http::status status, const std::string& text) {
    measuring = false;
    for (const std::uint64_t id : std::exchange(waiting, {})) answer(id, status, text);
  }

  void answer(std::uint64_t id, http::status status, std::string text) {
    Connection& connection = *connections.at(id);
    http::response<http::string_body>& response = connection.response;
    response.result(status);
    response.keep_alive(false);
    response.set(http::field::content_type, status == http::status::ok ? kMetricsType : "text/plain; charset=utf-8");
    response.body() = std::move(text);
    response.prepare_payload();
    if (connection.request.get().method() == http::verb::head) response.body().clear();  // its length stays
    connection.stream.expires_after(kPatience);
    http::async_write(connection.stream, response,
                      [this, id](const error_code&, std::size_t) { connections.erase(id); });
  }

  MetricsListener listener;
  Source& source;
  asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor;
  asio::steady_timer pause;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections;  // the oldest first
  std::vector<std::uint64_t> waiting;                                // for the measurement that is being made
  bool measuring = false;
  std::uint64_t last_id = 0;
};

MetricsServer::MetricsServer(asio::io_context& context, MetricsListener listener, Source& source)
    : state_(std::make_unique<State>(context, std::move(listener), source)) {}

MetricsServer::~MetricsServer() = default;

}  // namespace vif::tools
