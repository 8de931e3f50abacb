// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/pings.hpp"

namespace vif::host {

using namespace net::inet;

Pings::Pings(net::Domain& domain, Inet& inet) : domain_(domain), inet_(inet) { inet_.listen(*this); }
Pings::~Pings() { inet_.unlisten(*this); }

void Pings::send(const Request& request, Done done) {
  const Key key(request.id, request.sequence);
  if (waiting_.contains(key)) {
    return done(fail(EBUSY, "somebody waits for the answer to echo " + std::to_string(key.first) + "/" +
                                std::to_string(key.second) + ": choose another id"));
  }
  if (waiting_.size() == kWaitingMax) {
    return done(fail(ENOBUFS, std::to_string(kWaitingMax) + " echo requests wait for answers: try later"));
  }
  while (data_.size() < request.data_bytes) data_.push_back(static_cast<std::byte>(data_.size()));
  Waiting& entry = waiting_[key];
  entry = {request.to, domain_.now(), std::move(done), nullptr};
  const auto late = [this, key, to = request.to] { finish(key, fail(ETIMEDOUT, to.to_string() + " did not answer")); };
  entry.timeout = std::make_unique<Callout>(domain_.callouts(), late);
  entry.timeout->schedule(domain_.now() + request.timeout);
  // The answer may come before this returns.
  const Status sent = inet_.ping({.to = request.to,
                                  .id = request.id,
                                  .sequence = request.sequence,
                                  .payload = Bytes(data_).first(request.data_bytes),
                                  .hops = request.hops,
                                  .via = request.via});
  if (!sent) finish(key, sent.error());
}

void Pings::echo_replied(const EchoReply& reply) {
  const Key key(reply.id, reply.sequence);
  const auto entry = waiting_.find(key);
  // A group is answered by its members.
  if (entry == waiting_.end() || (entry->second.to != reply.from && !entry->second.to.is_multicast())) return;
  finish(key, Answer{reply.from, reply.payload.pkthdr.len, reply.hops, domain_.now() - entry->second.sent});
}

void Pings::finish(const Key& key, const Result<Answer>& result) {
  auto entry = waiting_.extract(key);
  if (!entry.empty()) entry.mapped().done(result);
}

}  // namespace vif::host
