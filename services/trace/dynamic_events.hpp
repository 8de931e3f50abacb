// SPDX-License-Identifier: BSD-2-Clause
// The kernel's dynamic_events file, as far as it is about user_events: makes and removes events by text, whether or not
// a program registered them. The control side, one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "netstack/base/api.hpp"
#include "services/trace/tracing.hpp"

namespace vif::trace {

class VIF_API DynamicEvents {
 public:
  // `era`: what of a removed event has to match, see write().
  explicit DynamicEvents(Tracing& tracing, Era era = Era::bits) : tracing_(tracing), era_(era) {}

  // Line by line up to the first that fails; '#' begins a comment.
  //   u:NAME [FIELDS]              makes an event in the root group; errors of Group::obtain
  //   !u:[SYSTEM/]NAME [FIELDS]    removes it, or with SYSTEM the one that is listed there; "-:" is the same
  // Fields that are given have to match (fields_match); without, any event of that name is meant (era bits), or the one
  // without fields (era address). ENOENT: none matches. EBUSY: one is used; none was removed. EINVAL: another command.
  Status write(std::string_view lines);
  // What opening the file to write it anew does: removes the events of all groups. EBUSY: one is used; none was
  // removed.
  Status truncate();
  // "u:NAME FIELDS" a line, of groups other than the root "u:SYSTEM/NAME FIELDS".
  std::string text() const;

 private:
  Status run(std::string_view line);
  Status create(std::string_view command);
  Status remove(std::string_view what);
  bool matches(const UserEvent& event, std::string_view name, std::string_view fields) const;

  Tracing& tracing_;
  Era era_;
};

}  // namespace vif::trace
