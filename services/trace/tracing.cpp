// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/tracing.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace vif::trace {
namespace {

constexpr std::size_t kGroupNameCharsMax = 255;  // NAME_MAX: it is a directory's name in the kernel

bool may_name_group(std::string_view name) {
  const auto is_odd = [](char c) {
    return c == '/' || c == ' ' || c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  };
  return !name.empty() && name != "." && name != ".." && std::none_of(name.begin(), name.end(), is_odd);
}

template <class File>
Result<std::unique_ptr<File>> open_in(Result<Group*> group) {
  if (!group) return std::move(group).error();
  return std::make_unique<File>(**group);
}

}  // namespace

Result<std::unique_ptr<Tracing>> Tracing::open(PagesPort& pages, Mode mode) {
  std::unique_ptr<Tracing> tracing(new Tracing(mode));
  tracing->pages_ = &pages;
  if (Result<Group*> root = tracing->add_group("", 0); !root) return std::move(root).error();
  return tracing;
}

Tracing::~Tracing() {
  assert(std::all_of(groups_.begin(), groups_.end(), [](const auto& group) { return group->handles().get() == 0; }));
}

std::vector<Group*> Tracing::groups() const {
  std::vector<Group*> groups;
  for (const auto& group : groups_) groups.push_back(group.get());
  return groups;
}

Group* Tracing::find_group(std::string_view name) const {
  const auto at =
      std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) { return group->name() == name; });
  return at == groups_.end() ? nullptr : at->get();
}

Result<Group*> Tracing::create_group(std::string name) {
  if (name.size() > kGroupNameCharsMax) return fail(ENAMETOOLONG, "a group's name has at most 255 characters");
  if (!may_name_group(name))
    return fail(EINVAL,
                "a group's name is one directory's: not empty, '.' or '..', without '/', control characters, and ' ' "
                "and ':', which "
                "part patterns of events");
  if (find_group(name) != nullptr) return fail(EEXIST, "there is a group '" + name + "' already");
  const std::uint32_t id = group_ids_.take_next();
  if (id == 0) return fail(ENOMEM, "65535 groups are the most");
  Result<Group*> group = add_group(std::move(name), id);
  if (!group) group_ids_.give_back(id);
  return group;
}

Result<Group*> Tracing::add_group(std::string name, std::uint32_t id) {
  auto group = std::make_unique<Group>(shared_, *pages_, std::move(name), id);
  if (group->page().bytes().empty()) return fail(ENOMEM, "no memory for a status page");
  groups_.push_back(std::move(group));
  return groups_.back().get();
}

Status Tracing::remove_group(std::string_view name) {
  const auto at = std::find_if(groups_.begin() + 1, groups_.end(), [&](const auto& g) { return g->name() == name; });
  if (at == groups_.end()) return fail(ENOENT, "there is no group '" + std::string(name) + "'");
  if (const std::string reason = (*at)->busy_reason(); !reason.empty()) {
    return fail(EBUSY, "group '" + std::string(name) + "' cannot go: " + reason);
  }
  for (UserEvent* event : (*at)->events()) (void)(*at)->remove(*event);  // gives the type ids back; none is used
  group_ids_.give_back((*at)->id());
  groups_.erase(at);
  return {};
}

Result<Group*> Tracing::group_of(std::uint32_t id) const {
  const auto at = std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) { return group->id() == id; });
  if (at == groups_.end()) return fail(ENOENT, "there is no group with id " + std::to_string(id) + " any more");
  return at->get();
}

Result<std::unique_ptr<DataFile>> Tracing::open_data(std::uint32_t id) { return open_in<DataFile>(group_of(id)); }
Result<std::unique_ptr<StatusFile>> Tracing::open_status(std::uint32_t id) { return open_in<StatusFile>(group_of(id)); }
Result<std::unique_ptr<OptionsFile>> Tracing::open_options(std::uint32_t id) {
  return open_in<OptionsFile>(group_of(id));
}

Result<unsigned> Tracing::add_probe(Probe& probe) {
  for (unsigned place = 0; place < kProbesMax; ++place) {
    if (shared_.probes[place].load(std::memory_order_relaxed) != nullptr) continue;
    shared_.probes[place].store(&probe, std::memory_order_release);
    return place;
  }
  return fail(EBUSY,
              "at most 8 sessions and other probes at a time: one has to end first, a recording or `trace enable`");
}

void Tracing::remove_probe(unsigned place) {
  for (const auto& group : groups_) {
    for (UserEvent* event : group->events()) disable(*event, place);
  }
  shared_.probes[place].store(nullptr, std::memory_order_release);
}

void Tracing::set_enabled(UserEvent& event, unsigned place, bool on) {
  if (((event.word.load(std::memory_order_relaxed) >> place & 1) != 0) == on) return;
  event.uses.add();  // by this call, so that it is still there to be followed
  event.group.set_probe(event, place, on);
  enablers_.follow(event);
  event.group.release(event);
}

}  // namespace vif::trace
