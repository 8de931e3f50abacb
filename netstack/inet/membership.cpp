// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/membership.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// Nobody is told of the groups that every host is in, or that no router would pass on (RFC 3376, 5; RFC 3810, 6).
bool is_told_of(const IpAddress& group) {
  constexpr unsigned kLinkScope = 2;
  return group.is_v4() ? group != kAllSystems4 : group != kAllNodes6 && group.scope() >= kLinkScope;
}

}  // namespace

Membership::Membership(Stack& stack, Interface& interface)
    : stack_(stack),
      interface_(interface),
      change_(stack.domain.callouts(), [this] { say_changes(); }),
      answer_(stack.domain.callouts(), [this] { answer(); }) {}

bool Membership::router_is_older() const { return stack_.domain.now() < older_until_; }

std::vector<Membership::Entry>::iterator Membership::find(const IpAddress& group) {
  return std::lower_bound(entries_.begin(), entries_.end(), group,
                          [](const Entry& entry, const IpAddress& wanted) { return entry.group < wanted; });
}

// What changes at one time is told in one report.
void Membership::joined(const IpAddress& group) {
  if (!is_told_of(group)) return;
  auto at = find(group);
  if (at == entries_.end() || at->group != group) at = entries_.insert(at, {.group = group});
  *at = {.group = group, .is_in = true, .changes_left = robustness_};
  change_.schedule(stack_.domain.now());
}

void Membership::left(const IpAddress& group) {
  const auto at = find(group);
  if (at == entries_.end() || at->group != group) return;
  *at = {.group = group, .is_in = false, .changes_left = robustness_};
  // Routers find out by themselves in the end: of too many, one is not repeated.
  const auto gone = [](const Entry& entry) { return !entry.is_in; };
  if (static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), gone)) > kLeftMax) {
    entries_.erase(std::find_if(entries_.begin(), entries_.end(), gone));
  }
  change_.schedule(stack_.domain.now());
}

void Membership::announce() {
  older_until_ = Time::min();
  bool any = false;
  for (Entry& entry : entries_) {
    if (entry.is_in) entry.changes_left = robustness_, any = true;
  }
  if (any) change_.schedule(stack_.domain.now());
}

// RFC 3376, 5.1; RFC 3810, 6.1: at once, and again after a random time, as often as the router thinks is safe.
void Membership::say_changes() {
  const bool older = router_is_older();
  std::vector<GroupRecord> records;
  bool more = false;
  for (Entry& entry : entries_) {
    if (entry.changes_left == 0) continue;
    records.push_back({entry.is_in ? GroupChange::joined : GroupChange::left, entry.group});
    --entry.changes_left;
    if (older && !entry.is_in) entry.changes_left = 0;  // one is enough for that version, as the router asks again
    more |= entry.changes_left > 0;
  }
  std::erase_if(entries_, [](const Entry& entry) { return !entry.is_in && entry.changes_left == 0; });
  const Time within = older ? kOlderRepeatWithin : kRepeatWithin;
  if (more) change_.schedule(stack_.domain.now() + Time(1) + stack_.random_below(within));
  else change_.cancel();
  send(records);
}

// RFC 3376, 5.2; RFC 3810, 6.2. What is asked about some sources of a group only is answered for the group, too: we
// want all of them.
void Membership::queried(const GroupQuery& query) {
  const Time now = stack_.domain.now();
  if (query.older) {
    if (!router_is_older()) {  // what was about to be said would not be understood
      std::erase_if(entries_, [](const Entry& entry) { return !entry.is_in; });
      for (Entry& entry : entries_) entry.changes_left = 0, entry.answer_due = Time::max();
      answer_all_due_ = Time::max();
      change_.cancel();
    }
    older_until_ = now + robustness_ * interval_ + query.answer_within;
  } else {
    robustness_ = query.robustness != 0 ? query.robustness : kRobustness;
    interval_ = query.interval != Time{} ? query.interval : kQueryInterval;
  }
  const auto chosen = [&] { return now + stack_.random_below(query.answer_within); };
  const bool about_all = query.group.is_unspecified();
  if (about_all && !router_is_older()) {
    answer_all_due_ = std::min(answer_all_due_, chosen());
  } else {
    for (Entry& entry : entries_) {
      const bool asked = entry.is_in && (about_all || entry.group == query.group);
      if (asked) entry.answer_due = std::min(entry.answer_due, chosen());
    }
  }
  arm_answer();
}

void Membership::overheard(const IpAddress& group) {
  const auto at = find(group);
  if (!router_is_older() || at == entries_.end() || at->group != group) return;
  at->answer_due = Time::max();
  arm_answer();
}

void Membership::answer() {
  const Time now = stack_.domain.now();
  const bool all = answer_all_due_ <= now;
  std::vector<GroupRecord> records;
  for (Entry& entry : entries_) {
    if (!entry.is_in || (!all && entry.answer_due > now)) continue;
    records.push_back({GroupChange::is_in, entry.group});
    entry.answer_due = Time::max();
  }
  if (all) answer_all_due_ = Time::max();
  arm_answer();
  send(records);
}

void Membership::arm_answer() {
  Time earliest = answer_all_due_;
  for (const Entry& entry : entries_) earliest = std::min(earliest, entry.answer_due);
  if (earliest == Time::max()) answer_.cancel();
  else answer_.schedule(earliest);
}

void Membership::send(std::span<const GroupRecord> records) {
  if (records.empty()) return;
  if (!router_is_older()) return stack_.group_messages.report(interface_, records);
  for (const GroupRecord& record : records) stack_.group_messages.report_older(interface_, record);
}

}  // namespace vif::net::inet
