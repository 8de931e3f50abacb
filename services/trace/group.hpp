// SPDX-License-Identifier: BSD-2-Clause
// A group of events: its own names, its own status page, its own limit. What happens in one group is not seen in
// another. Tracing owns the groups. The control side, one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/index_set.hpp"
#include "services/trace/probe.hpp"
#include "services/trace/rules.hpp"
#include "services/trace/status_page.hpp"
#include "services/trace/user_event.hpp"

namespace vif::trace {

// Of common_type: kernels give their own events the numbers below.
inline constexpr std::uint32_t kFirstTypeId = 2000;
inline constexpr std::uint32_t kTypeIds = 65536 - kFirstTypeId;

// How an event is asked for.
struct Registering {
  Era era = Era::bits;
  Lifetime lifetime = Lifetime::until_removed;
  Formats formats = Formats::single;
};

// Who sits in which place; the same for all groups of a Tracing.
using Probes = std::array<std::atomic<Probe*>, kProbesMax>;

// What all groups of a Tracing share.
struct Shared {
  Rules rules;
  IndexSet type_ids{kTypeIds};
  Probes probes{};
  std::vector<EventWatch*> watches{};
};

class VIF_API Group {
 public:
  // `name`: empty for the root group.
  Group(Shared& shared, PagesPort& pages, std::string name, std::uint32_t id);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const std::string& name() const { return name_; }
  std::uint32_t id() const { return id_; }
  const std::string& system(Formats formats) const { return formats == Formats::multi ? multi_system_ : system_; }
  const StatusPage& page() const { return page_; }
  Shared& shared() const { return shared_; }

  // Finds or makes the event, and counts one use, which the caller gives back with release(). EINVAL: the command's
  // grammar, or a name that strict rules refuse. EADDRINUSE: it exists with other fields. EMFILE: limit() is reached.
  // ENODEV: all type ids of the Tracing are used.
  Result<UserEvent*> obtain(std::string_view command, const Registering& how);
  // One use less; an event that lives until its last use may go away by this.
  void release(UserEvent& event);

  // Destroys the event, in all its formats. ENOENT: no such event. EBUSY: it is used; then nothing was destroyed.
  Status remove(std::string_view name);
  // Destroys one event. EBUSY as above.
  Status remove(UserEvent& event);
  // The event of a single format; null: none.
  UserEvent* find(std::string_view name) const;
  // In the order of their indices.
  std::vector<UserEvent*> events() const;

  // The probe in `place` begins or ends to want the event: word, copies, status bit and use count follow.
  void set_probe(UserEvent& event, unsigned place, bool wanted);

  // At most so many events, none with a higher index (user_events_limit). Lowering it leaves existing events alone.
  // EINVAL: not 1 .. kGroupEventsMax.
  Status set_limit(std::uint32_t limit);
  std::uint32_t limit() const { return limit_; }

  // What reading the status file gives.
  std::string status_text() const;

  // Files, options and mappings that are open.
  UseCount& handles() { return handles_; }
  // Why it cannot be removed just now; empty: it can.
  std::string busy_reason() const;

 private:
  // By key_of().
  using Table = std::map<std::string, std::unique_ptr<UserEvent>, std::less<>>;

  Result<UserEvent*> create(std::string key, EventFormat format, const Registering& how);
  void destroy(Table::iterator at);

  Shared& shared_;
  std::string name_;
  std::uint32_t id_;
  std::string system_, multi_system_;
  StatusPage page_;
  Table table_;
  IndexSet indices_{kGroupEventsMax};
  std::uint32_t limit_ = kGroupEventsMax;
  std::uint32_t next_format_id_ = 0;
  UseCount handles_;
};

}  // namespace vif::trace
