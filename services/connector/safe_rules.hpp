// SPDX-License-Identifier: BSD-2-Clause
// Listening as it should be: who has gone is not counted, a request that is refused changes nothing, everybody is
// answered, and nobody else is. Filters by process and by tree beside the kernel's masks. On the bus's thread.
#pragma once

#include <unordered_set>
#include <vector>

#include "services/connector/listen_rules.hpp"

namespace vif::cn {

class SafeRules final : public ListenRules {
 public:
  explicit SafeRules(const TaskTable* tasks) : tasks_(tasks) {}

  Answer control(const std::optional<Request>& request, const Sender& sender) override;
  bool wants(const Subscriber& subscriber, const ProcEvent& event) const override;
  bool listens(const Subscriber& subscriber) const override;
  bool covers(const Subscriber& subscriber, std::int32_t tgid) const override;
  bool wants_extension(const Subscriber& subscriber) const override;
  void observe(const ProcEvent& event) override;
  void departing(const Subscriber& subscriber) override;

 private:
  struct State {
    Mask mask = 0;  // 0: it does not listen
    Wishes wishes;
    std::unordered_set<std::int32_t> tree;  // processes; only with wishes.tree
  };

  std::uint32_t refusal(const std::optional<Request>& request, const Sender& sender) const;
  void listen(const Request& request, const Subscriber& subscriber);
  void recount();

  const TaskTable* const tasks_;
  std::vector<State> states_;  // by slot
  bool has_trees_ = false;
};

}  // namespace vif::cn
