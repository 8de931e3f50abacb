// SPDX-License-Identifier: BSD-2-Clause
// Echo requests of a node's operators, each with somebody who waits for its answer. On the domain's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/inet.hpp"

namespace vif::host {

class Pings final : private net::inet::EchoListener {
 public:
  static constexpr std::size_t kWaitingMax = 4096;
  static constexpr std::size_t kDataBytesMax = 65'507;  // of an IPv4 packet of 65535 bytes

  struct Request {
    net::inet::IpAddress to;
    std::uint16_t id = 0, sequence = 0;
    std::size_t data_bytes = 56;
    std::uint8_t hops = 0;      // 0: what is usual there
    net::Ifnet* via = nullptr;  // for link-local destinations and groups
    Time timeout = std::chrono::seconds(1);
  };
  struct Answer {
    net::inet::IpAddress from;
    std::size_t data_bytes;
    std::uint8_t hops;  // left
    Time took;
  };
  // Once, now or later; not when the Pings go first. ETIMEDOUT: nobody answered. EBUSY: somebody waits for an answer to
  // this id and sequence. ENOBUFS: kWaitingMax. Otherwise Inet::ping's.
  using Done = std::function<void(const Result<Answer>&)>;

  // The stack is the domain's, and outlives it with it.
  Pings(net::Domain& domain, net::inet::Inet& inet);
  ~Pings() override;
  Pings(const Pings&) = delete;
  Pings& operator=(const Pings&) = delete;

  void send(const Request& request, Done done);

 private:
  using Key = std::pair<std::uint16_t, std::uint16_t>;  // id and sequence
  struct Waiting {
    net::inet::IpAddress to;
    Time sent;
    Done done;
    std::unique_ptr<Callout> timeout;
  };

  void echo_replied(const net::inet::EchoReply& reply) override;
  void finish(const Key& key, const Result<Answer>& result);

  net::Domain& domain_;
  net::inet::Inet& inet_;
  std::map<Key, Waiting> waiting_;
  std::vector<std::byte> data_;  // 0, 1, 2, ...: as much as was asked for so far
};

}  // namespace vif::host
