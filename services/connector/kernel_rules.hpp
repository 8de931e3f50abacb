// SPDX-License-Identifier: BSD-2-Clause
// Listening as in Linux 6.18: one count of listeners, the last operation and mask of each socket, and what comes of it.
//
//   Q1 who closes without an ignore is counted for ever      Q2 a bad operation, then an ignore: counts one too few
//   Q3 listen, a bad operation, listen: counts twice         Q4 a bad operation widens the sender's mask to all
//   Q5 listening outside the group counts, and hears nothing Q6 a member that never asked hears all, if anybody listens
//   Q7 answers go to all that hear everything                Q8 an answer's seq and cpu are not the request's
//   Q9 an ignore is not answered to who sent it
//
// Q8 is who sends the answer (ProcConnector); the rest is here. On the bus's thread.
#pragma once

#include <vector>

#include "services/connector/listen_rules.hpp"

namespace vif::cn {

class KernelRules final : public ListenRules {
 public:
  Answer control(const std::optional<Request>& request, const Sender& sender) override;
  bool wants(const Subscriber& subscriber, const ProcEvent& event) const override;
  bool listens(const Subscriber& subscriber) const override;
  bool covers(const Subscriber&, std::int32_t) const override { return true; }
  bool wants_extension(const Subscriber&) const override { return false; }
  void observe(const ProcEvent&) override {}
  void departing(const Subscriber& subscriber) override;

 private:
  // sk_user_data of a socket.
  struct State {
    bool asked = false;  // it has sent something once
    Op op{};
    Mask mask = 0;
  };

  State& state_of(const Subscriber& subscriber);

  std::vector<State> states_;  // by slot
  int listeners_ = 0;          // proc_event_num_listeners
};

}  // namespace vif::cn
