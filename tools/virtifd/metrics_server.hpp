// SPDX-License-Identifier: BSD-2-Clause
// Serves metrics over HTTP/1.1: GET /metrics, one answer a connection. What a client can take is bounded: its time, its
// request, and how many there are; when there are too many, the one that has been there longest goes.
//
// On the thread of its context, and destroyed when that is not running any more.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tools/virtifd/metrics_listener.hpp"

namespace vif::tools {

class MetricsServer {
 public:
  static constexpr std::size_t kConnectionsMax = 32;
  static constexpr std::size_t kRequestBytesMax = 8192;
  static constexpr auto kPatience = std::chrono::seconds(10);  // for the request to come, and for the answer to go

  class Source {
   public:
    virtual ~Source() = default;
    // Gives `ready` the text, later and on this thread. False: it is too busy.
    virtual bool measure(std::function<void(std::string)> ready) = 0;
  };

  // Serves at once. Throws what Asio throws. `source` outlives the server.
  MetricsServer(boost::asio::io_context& context, MetricsListener listener, Source& source);
  ~MetricsServer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vif::tools
