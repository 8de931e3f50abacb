// SPDX-License-Identifier: BSD-2-Clause
// user_events in user space: groups of events that programs register and write, and probes that record them. Behaves as
// Linux's (Documentation/trace/user_events.rst) with the groups of the namespace series proposed for it in 2022
// (Message-ID 20220728235241.2249-1-beaub@linux.microsoft.com), without that series' defects.
//
// Owns its groups; files and probes must go before it does. Everything here is the control side: one thread at a time,
// whoever owns the Tracing sees to it. Only DataFile::write and what it calls may run beside it, on any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/data_file.hpp"
#include "services/trace/enablers.hpp"
#include "services/trace/group.hpp"
#include "services/trace/group_files.hpp"
#include "services/trace/pages_port.hpp"

namespace vif::trace {

class VIF_API Tracing {
 public:
  // With the root group, id 0. ENOMEM: no memory for its status page. `pages` outlives it.
  static Result<std::unique_ptr<Tracing>> open(PagesPort& pages, Mode mode = Mode::strict);
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  Group& root() { return *groups_.front(); }
  // The root group first, the others as they were made.
  std::vector<Group*> groups() const;
  // Null: there is none.
  Group* find_group(std::string_view name) const;

  // Its events are listed under system "user_events.NAME". EEXIST: it is there, and stays. EINVAL: empty, "." or "..",
  // or with '/' or a control character. ENAMETOOLONG: above 255 characters. ENOMEM.
  Result<Group*> create_group(std::string name);
  // ENOENT: no such group. EBUSY: a file, option or mapping of it is open, or an event used; nothing was destroyed.
  Status remove_group(std::string_view name);

  // By id, because a name may have been given to another group meanwhile; an id is not soon given again. ENOENT.
  Result<std::unique_ptr<DataFile>> open_data(std::uint32_t group_id);
  Result<std::unique_ptr<StatusFile>> open_status(std::uint32_t group_id);
  Result<std::unique_ptr<OptionsFile>> open_options(std::uint32_t group_id);

  // Gives the probe a place. EBUSY: all kProbesMax are taken.
  Result<unsigned> add_probe(Probe& probe);
  // Takes its bit from all events and frees the place. Whoever owns the probe waits, before it frees it, until no
  // writer that began earlier is still writing.
  void remove_probe(unsigned place);
  // Until unwatch(); neither from inside event_created().
  void watch(EventWatch& watch) { shared_.watches.push_back(&watch); }
  void unwatch(EventWatch& watch) { std::erase(shared_.watches, &watch); }
  void enable(UserEvent& event, unsigned place) { set_enabled(event, place, true); }
  void disable(UserEvent& event, unsigned place) { set_enabled(event, place, false); }

  Enablers& enablers() { return enablers_; }

 private:
  explicit Tracing(Mode mode) : shared_{.rules = Rules(mode)} {}

  Result<Group*> add_group(std::string name, std::uint32_t id);
  Result<Group*> group_of(std::uint32_t id) const;
  void set_enabled(UserEvent& event, unsigned place, bool on);

  Shared shared_;
  PagesPort* pages_ = nullptr;
  IndexSet group_ids_{0xffff};
  std::vector<std::unique_ptr<Group>> groups_;
  Enablers enablers_;
};

}  // namespace vif::trace
