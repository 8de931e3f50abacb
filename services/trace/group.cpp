// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/group.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace vif::trace {
namespace {

constexpr std::string_view kSystem = "user_events", kMultiSystem = "user_events_multi";
constexpr std::array<std::string_view, 3> kProbeKindNames = {" ftrace", " perf", " other"};

std::string with_group(std::string_view system, const std::string& group) {
  return group.empty() ? std::string(system) : std::string(system) + '.' + group;
}

std::string in_hex(std::uint32_t number) {
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

// The name alone, or for multi-format events the name, a NUL and the fields: no name has a NUL.
std::string key_of(const EventFormat& format, Formats formats) {
  return formats == Formats::single ? format.name : format.name + '\0' + fields_text(format);
}

Error busy(const UserEvent& event) {
  return fail(EBUSY, "'" + event.name + "' is used by " + std::to_string(event.uses.get()) +
                         " files, programs or sessions; close them first");
}

}  // namespace

const std::string& UserEvent::system() const { return group.system(formats); }

Group::Group(Shared& shared, PagesPort& pages, std::string name, std::uint32_t id)
    : shared_(shared),
      name_(std::move(name)),
      id_(id),
      system_(with_group(kSystem, name_)),
      multi_system_(with_group(kMultiSystem, name_)),
      page_(pages) {}

Result<UserEvent*> Group::obtain(std::string_view command, const Registering& how) {
  Result<EventFormat> format = EventFormat::parse(command, how.era);
  if (!format) return std::move(format).error();
  if (Status odd = shared_.rules.check_names(*format); !odd) return std::move(odd).error();
  std::string key = key_of(*format, how.formats);
  const auto known = table_.find(key);
  if (known == table_.end()) return create(std::move(key), *std::move(format), how);
  UserEvent& event = *known->second;
  if (Status same = shared_.rules.check_fields(event.format, *format, how.era); !same) return std::move(same).error();
  event.uses.add();
  return &event;
}

Result<UserEvent*> Group::create(std::string key, EventFormat format, const Registering& how) {
  const std::uint32_t index = table_.size() < limit_ ? indices_.take_lowest(limit_) : 0;
  if (index == 0) {
    return fail(EMFILE, "all " + std::to_string(limit_) + " events of group '" + name_ + "' are registered");
  }
  const std::uint32_t type = shared_.type_ids.take_next();
  if (type == 0) {
    indices_.give_back(index);
    return fail(ENODEV, "all event types are in use; remove events that nobody needs");
  }
  auto event = std::make_unique<UserEvent>(*this, std::move(format));
  event->name = event->format.name;
  if (how.formats == Formats::multi) event->name += '.' + in_hex(next_format_id_++);
  event->type_id = static_cast<std::uint16_t>(kFirstTypeId - 1 + type);
  event->index = static_cast<std::uint16_t>(index);
  event->lifetime = how.lifetime;
  event->formats = how.formats;
  event->uses.add();
  UserEvent& created = *table_.emplace(std::move(key), std::move(event)).first->second;
  for (EventWatch* watch : shared_.watches) watch->event_created(created);
  return &created;
}

void Group::release(UserEvent& event) {
  event.uses.drop();
  if (event.uses.get() == 0 && event.lifetime == Lifetime::until_last_use) (void)remove(event);
}

void Group::destroy(Table::iterator at) {
  UserEvent& event = *at->second;
  page_.set(event.index, false);
  indices_.give_back(event.index);
  shared_.type_ids.give_back(event.type_id - (kFirstTypeId - 1U));
  table_.erase(at);
}

Status Group::remove(std::string_view name) {
  const std::string key(name);
  // From the name alone to the last that goes on with a NUL.
  auto first = table_.lower_bound(key);
  const auto last = table_.lower_bound(key + '\1');
  if (first == last) return fail(ENOENT, "there is no event '" + key + "' in group '" + name_ + "'");
  const auto used = std::find_if(first, last, [](const auto& entry) { return entry.second->uses.get() != 0; });
  if (used != last) return busy(*used->second);
  while (first != last) destroy(first++);
  return {};
}

Status Group::remove(UserEvent& event) {
  if (event.uses.get() != 0) return busy(event);
  destroy(table_.find(key_of(event.format, event.formats)));
  return {};
}

UserEvent* Group::find(std::string_view name) const {
  const auto at = table_.find(name);
  return at == table_.end() ? nullptr : at->second.get();
}

std::vector<UserEvent*> Group::events() const {
  std::vector<UserEvent*> events;
  for (const auto& [key, event] : table_) events.push_back(event.get());
  std::sort(events.begin(), events.end(), [](const UserEvent* a, const UserEvent* b) { return a->index < b->index; });
  return events;
}

void Group::set_probe(UserEvent& event, unsigned place, bool wanted) {
  const std::uint32_t before = event.word.load(std::memory_order_relaxed);
  const std::uint32_t bit = 1U << place, after = wanted ? before | bit : before & ~bit;
  if (after == before) return;
  event.word.store(after, std::memory_order_release);
  for (std::atomic<std::uint32_t>* copy : event.word_copies) copy->store(after, std::memory_order_release);
  page_.set(event.index, after != 0);
  if (wanted) event.uses.add();
  else release(event);
}

Status Group::set_limit(std::uint32_t limit) {
  if (limit < 1 || limit > kGroupEventsMax) return fail(EINVAL, "a limit of 1 to 32767 events");
  limit_ = limit;
  return {};
}

std::string Group::status_text() const {
  std::string text;
  unsigned in_use = 0;
  for (const UserEvent* event : events()) {
    text.append(std::to_string(event->index)).append(":").append(event->name);
    const std::uint32_t word = event->word.load(std::memory_order_relaxed);
    std::array<bool, kProbeKindNames.size()> kinds{};
    for (unsigned place = 0; place < kProbesMax; ++place) {
      if ((word >> place & 1) == 0) continue;
      kinds[static_cast<std::size_t>(shared_.probes[place].load(std::memory_order_relaxed)->kind())] = true;
    }
    if (word != 0) text += " # Used by";
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      if (kinds[kind]) text += kProbeKindNames[kind];
    }
    in_use += word != 0;
    text += '\n';
  }
  text.append("\nActive: ").append(std::to_string(table_.size())).append("\nBusy: ").append(std::to_string(in_use));
  text.append("\nMax: ").append(std::to_string(shared_.rules.status_max()));
  return text.append("\nLimit: ").append(std::to_string(limit_)).append("\n");
}

std::string Group::busy_reason() const {
  if (handles_.get() != 0) return std::to_string(handles_.get()) + " of its files or mappings are open";
  for (const auto& [key, event] : table_) {
    if (event->uses.get() != 0) return busy(*event).text;
  }
  return {};
}

}  // namespace vif::trace
