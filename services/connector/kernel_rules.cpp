// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/kernel_rules.hpp"

namespace vif::cn {

KernelRules::State& KernelRules::state_of(const Subscriber& subscriber) {
  if (states_.size() <= subscriber.slot()) states_.resize(subscriber.slot() + 1);
  return states_[subscriber.slot()];
}

Answer KernelRules::control(const std::optional<Request>& request, const Sender& sender) {
  if (!sender.initial_namespaces || !request) return {};
  if (request->payload_bytes != 4 && request->payload_bytes != 8) return {};
  State unseen;
  State& state = sender.subscriber != nullptr ? state_of(*sender.subscriber) : unseen;
  const State before = std::exchange(state, State{true, request->op, request->mask});  // before it is looked at
  std::uint32_t error = 0;
  switch (request->op) {
    case Op::listen:
      if (!before.asked || before.op != Op::listen) ++listeners_;
      break;
    case Op::ignore:
      if (before.asked && before.op != Op::ignore) --listeners_;
      state.mask = 0;
      break;
    default:
      error = EINVAL;
      break;
  }
  set_interest(listeners_ < 1 ? 0 : ~Mask{0});
  return {listeners_ < 1 ? Answer::To::nobody : Answer::To::everybody, error};
}

bool KernelRules::wants(const Subscriber& subscriber, const ProcEvent& event) const {
  if (states_.size() <= subscriber.slot() || !states_[subscriber.slot()].asked) return true;
  const State& state = states_[subscriber.slot()];
  return state.op != Op::ignore && lets_through(state.mask, event);
}

bool KernelRules::listens(const Subscriber& subscriber) const {
  return states_.size() <= subscriber.slot() || states_[subscriber.slot()].op != Op::ignore;
}

void KernelRules::departing(const Subscriber& subscriber) { state_of(subscriber) = {}; }

}  // namespace vif::cn
