// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/inet_data.hpp"

namespace vif::net::inet {
namespace {

std::uint64_t sum(const InetData& data, InetDrop first, InetDrop last) {
  std::uint64_t total = 0;
  for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) total += data.drops[i];
  return total;
}

}  // namespace

std::uint64_t InetData::ended_in() const {
  return delivered + merged + forwarded + sum(*this, InetDrop::malformed, InetDrop::not_forwardable) +
         fragments_waiting;
}

std::uint64_t InetData::ended_out() const {
  return sent + looped + sum(*this, InetDrop::out_no_route, InetDrop::out_refused) + packets_held;
}

InetData InetCounters::read() const {
  InetData data{};
  data.received = received.get();
  data.cut = cut.get();
  data.delivered = delivered.get();
  data.merged = merged.get();
  data.forwarded = forwarded.get();
  data.originated = originated.get();
  data.fragmented = fragmented.get();
  data.sent = sent.get();
  data.looped = looped.get();
  data.errors_sent = errors_sent.get();
  data.errors_suppressed = errors_suppressed.get();
  data.conflicts = conflicts.get();
  data.reports_sent = reports_sent.get();
  data.queries_heard = queries_heard.get();
  for (std::size_t i = 0; i < kInetDrops; ++i) data.drops[i] = drops_[i].get();
  return data;
}

}  // namespace vif::net::inet
