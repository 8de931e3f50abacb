// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/safe_rules.hpp"

namespace vif::cn {

std::uint32_t SafeRules::refusal(const std::optional<Request>& request, const Sender& sender) const {
  if (!sender.initial_namespaces) return EPERM;
  if (!request) return EINVAL;
  switch (request->op) {
    case Op::listen:  // what it would be sent could not reach it
      return sender.subscriber != nullptr && sender.subscriber->is_in(kProcId.idx) ? 0 : ENOTCONN;
    case Op::ignore:
      return 0;
    case Op::notify:  // shorter ones do not say a code
      return request->payload_bytes >= 12 ? 0 : EINVAL;
    case Op::resync:
      return tasks_ == nullptr ? ENOTSUP : 0;
  }
  return EINVAL;
}

Answer SafeRules::control(const std::optional<Request>& request, const Sender& sender) {
  Answer answer{sender.subscriber != nullptr ? Answer::To::sender : Answer::To::nobody, refusal(request, sender)};
  if (answer.error != 0) return answer;
  if (request->op == Op::listen) listen(*request, *sender.subscriber);
  if (request->op == Op::ignore && sender.subscriber != nullptr) departing(*sender.subscriber);
  answer.granted = request->op == Op::notify || request->op == Op::resync;
  return answer;
}

void SafeRules::listen(const Request& request, const Subscriber& subscriber) {
  if (states_.size() <= subscriber.slot()) states_.resize(subscriber.slot() + 1);
  State& state = states_[subscriber.slot()];
  state = {request.mask, request.wishes, {}};
  if (state.wishes.tree) {
    state.tree.insert(*state.wishes.tree);
    if (tasks_ != nullptr) {
      for (const std::int32_t tgid : tasks_->tree(*state.wishes.tree)) state.tree.insert(tgid);
    }
  }
  recount();
}

bool SafeRules::wants(const Subscriber& subscriber, const ProcEvent& event) const {
  return listens(subscriber) && lets_through(states_[subscriber.slot()].mask, event) && covers(subscriber, event.tgid);
}

bool SafeRules::listens(const Subscriber& subscriber) const {
  return states_.size() > subscriber.slot() && states_[subscriber.slot()].mask != 0;
}

bool SafeRules::covers(const Subscriber& subscriber, std::int32_t tgid) const {
  if (states_.size() <= subscriber.slot()) return true;
  const State& state = states_[subscriber.slot()];
  if (state.wishes.tgid && tgid != *state.wishes.tgid) return false;
  return !state.wishes.tree || state.tree.contains(tgid);
}

bool SafeRules::wants_extension(const Subscriber& subscriber) const {
  return states_.size() > subscriber.slot() && states_[subscriber.slot()].wishes.extended;
}

void SafeRules::observe(const ProcEvent& event) {
  if (event.what != What::fork || !has_trees_) return;
  for (State& state : states_) {
    if (!state.wishes.tree) continue;
    // A fork comes before all the child does, so this is also where a number is used again by a stranger. An exit is
    // not: other threads' exits may follow it, or an exec by another thread under the same number.
    if (state.tree.contains(event.parent_tgid)) state.tree.insert(event.tgid);
    else if (event.pid == event.tgid) state.tree.erase(event.tgid);
  }
}

void SafeRules::departing(const Subscriber& subscriber) {
  if (states_.size() > subscriber.slot()) states_[subscriber.slot()] = {};
  recount();
}

void SafeRules::recount() {
  Mask interest = 0;
  has_trees_ = false;
  for (const State& state : states_) {
    interest |= state.mask;
    has_trees_ |= state.mask != 0 && state.wishes.tree.has_value();
  }
  if ((interest & bit(What::nonzero_exit)) != 0) interest |= bit(What::exit);
  if (has_trees_) interest |= bit(What::fork);
  set_interest(interest);
}

}  // namespace vif::cn
