// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/dynamic_events.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vif::trace {
namespace {

constexpr std::size_t kLineCharsMax = 4094;  // WRITE_BUFSIZE less a newline and a NUL
constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(kBlanks) + 1));
  return text;
}

// All or none.
Status remove_all(const std::vector<UserEvent*>& events) {
  const auto used = std::find_if(events.begin(), events.end(), [](UserEvent* event) { return event->uses.get() != 0; });
  if (used != events.end()) return (*used)->group.remove(**used);
  for (UserEvent* event : events) (void)event->group.remove(*event);
  return {};
}

}  // namespace

Status DynamicEvents::write(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (line.size() > kLineCharsMax) return fail(EINVAL, "a line has at most 4094 characters");
    const std::string_view command = trimmed(line.substr(0, line.find('#')));
    if (command.empty()) continue;
    if (Status done = run(command); !done) return done;
  }
  return {};
}

Status DynamicEvents::run(std::string_view line) {
  if (line.starts_with("u:")) return create(trimmed(line.substr(2)));
  if (line.starts_with("-:")) return remove(line.substr(2));
  if (line.starts_with("!u:")) return remove(line.substr(3));
  return fail(EINVAL, "a command is u:NAME FIELDS or !u:NAME, not \"" + std::string(line) + "\"");
}

Status DynamicEvents::create(std::string_view command) {
  Registering how;
  how.era = era_;
  Result<UserEvent*> event = tracing_.root().obtain(command, how);
  if (!event) return std::move(event).error();
  (*event)->group.release(**event);
  return {};
}

bool DynamicEvents::matches(const UserEvent& event, std::string_view name, std::string_view fields) const {
  if (event.name != name) return false;
  return (fields.empty() && era_ == Era::bits) || fields_match(event.format, fields, era_);
}

Status DynamicEvents::remove(std::string_view what) {
  const std::size_t blank = what.find_first_of(kBlanks);
  std::string_view name = what.substr(0, blank);
  const std::string_view fields = blank == std::string_view::npos ? "" : trimmed(what.substr(blank));
  const std::size_t slash = name.find('/');
  const std::string_view system = slash == std::string_view::npos ? "" : name.substr(0, slash);
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  if (name.empty()) return fail(EINVAL, "which event? Its name follows the ':'");
  std::vector<UserEvent*> meant;
  for (Group* group : tracing_.groups()) {
    for (UserEvent* event : group->events()) {
      // Without a system the root group is meant: what other groups have is not the root's to remove by accident.
      const bool here = system.empty() ? group == &tracing_.root() : event->system() == system;
      if (here && matches(*event, name, fields)) meant.push_back(event);
    }
  }
  if (meant.empty()) return fail(ENOENT, "there is no such event: " + std::string(what));
  return remove_all(meant);
}

Status DynamicEvents::truncate() {
  std::vector<UserEvent*> all;
  for (Group* group : tracing_.groups()) {
    for (UserEvent* event : group->events()) all.push_back(event);
  }
  return remove_all(all);
}

std::string DynamicEvents::text() const {
  std::string text;
  for (const Group* group : tracing_.groups()) {
    for (const UserEvent* event : group->events()) {
      text += "u:";
      if (!group->name().empty()) text += event->system() + '/';
      text += event->name;
      if (!event->format.fields.empty()) text += ' ' + fields_text(event->format);
      text += '\n';
    }
  }
  return text;
}

}  // namespace vif::trace
