// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/trace_methods.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "services/trace/session.hpp"

namespace vif::tools {
namespace {

using host::Json;
using host::ParamType;
using host::VerbParam;

constexpr std::array kWish = {
    VerbParam{"events", ParamType::text, false, "patterns, as in 'virtif:* virtifd:*'; virtif:* when it is not given"},
    VerbParam{"filter", ParamType::text, false, "which records, in the language of the kernel's filter files"},
    VerbParam{"buffer_kib", ParamType::number, false, "for records of each thread, 8 to 65536; 4096 when not given"},
    VerbParam{"overwrite", ParamType::boolean, false, "whether the oldest records are lost when it is full"}};
constexpr std::array kEvents = {VerbParam{"events", ParamType::text, false, "patterns; all when it is not given"}};
constexpr std::array kGroup = {VerbParam{"group", ParamType::text, true, "the group's name"}};
constexpr std::array kGroupLimit = {
    VerbParam{"group", ParamType::text, true, "the group's name"},
    VerbParam{"limit", ParamType::number, true, "how many events it may have, 1 to 32767"}};
constexpr std::array kStatus = {
    VerbParam{"group", ParamType::text, false, "of this group; of the root when not given"}};
constexpr std::array kEvent = {VerbParam{"group", ParamType::text, true, "the group's name"},
                               VerbParam{"event", ParamType::text, true, "as in 'tick u32 n'; to remove: its name"}};

std::string text_of(const Json& params, const char* name) { return params.value(name, std::string()); }

Json group_json(const TraceService& service, const trace::Group& group) {
  return {{"group", group.name()},
          {"system", group.system(trace::Formats::single)},
          {"events", group.events().size()},
          {"limit", group.limit()},
          {"owner", service.owner_of(group)},
          {"used", !group.busy_reason().empty()}};
}

Result<Json> group_add(const TraceCall& call) {
  const Result<trace::Group*> made = call.service.create_group(text_of(call.params, "group"), call.user);
  return made ? Result<Json>(group_json(call.service, **made)) : Result<Json>(made.error());
}

Result<Json> group_del(const TraceCall& call) {
  const Status removed = call.service.remove_group(text_of(call.params, "group"), call.user);
  return removed ? Result<Json>(Json::object()) : Result<Json>(removed.error());
}

Result<Json> group_list(const TraceCall& call) {
  Json all = Json::array();
  for (const trace::Group* const group : call.service.tracing().groups())
    all.push_back(group_json(call.service, *group));
  return all;
}

Result<Json> group_limit(const TraceCall& call) {
  const Result<trace::Group*> group = call.service.change(text_of(call.params, "group"), call.user);
  if (!group) return group.error();
  const std::uint64_t limit =
      std::min<std::uint64_t>(call.params["limit"].get<std::uint64_t>(), trace::kGroupEventsMax + 1);
  const Status set = (*group)->set_limit(static_cast<std::uint32_t>(limit));
  return set ? Result<Json>(group_json(call.service, **group)) : Result<Json>(set.error());
}

Json event_json(const trace::UserEvent& event) {
  Json fields = Json::array();
  for (const trace::Field& field : event.format.fields) {
    fields.push_back({{"name", field.name}, {"type", field.is_dynamic_text() ? "text" : field.type}});
  }
  return {{"event", (event.group.name().empty() ? event.system() : event.group.name()) + ':' + event.name},
          {"system", event.system()},
          {"id", event.type_id},
          {"enabled", event.enabled()},
          {"fields", std::move(fields)},
          {"format", trace::format_file(event.format, event.name, event.type_id)}};
}

bool is_named(const trace::UserEvent& event, const std::vector<std::string>& patterns) {
  return patterns.empty() ||
         std::ranges::any_of(patterns, [&](const std::string& pattern) { return trace::is_meant(pattern, event); });
}

Result<Json> event_list(const TraceCall& call) {
  const std::vector<std::string> patterns = words_of(text_of(call.params, "events"));
  Json all = Json::array();
  for (const trace::Group* const group : call.service.tracing().groups()) {
    for (const trace::UserEvent* const event : group->events()) {
      if (is_named(*event, patterns)) all.push_back(event_json(*event));
    }
  }
  if (all.empty() && !patterns.empty()) return no_event_of(ENOENT, text_of(call.params, "events"));
  return all;
}

Result<Json> event_add(const TraceCall& call) {
  const Result<trace::Group*> group = call.service.change(text_of(call.params, "group"), call.user);
  if (!group) return group.error();
  const Result<trace::UserEvent*> event = (*group)->obtain(text_of(call.params, "event"), {});
  if (!event) return event.error();
  Json said = event_json(**event);
  (*group)->release(**event);  // it stays until it is removed
  const Status described = call.service.describe_flight();
  return described ? Result<Json>(std::move(said)) : Result<Json>(described.error());
}

Result<Json> event_del(const TraceCall& call) {
  const Result<trace::Group*> group = call.service.change(text_of(call.params, "group"), call.user);
  if (!group) return group.error();
  const Status removed = (*group)->remove(text_of(call.params, "event"));
  return removed ? Result<Json>(Json::object()) : Result<Json>(removed.error());
}

Result<Json> status(const TraceCall& call) {
  const Result<trace::Group*> group = call.service.find(text_of(call.params, "group"));
  if (!group) return group.error();
  return Json{{"text", (*group)->status_text()}, {"recording", call.service.flight() != nullptr}};
}

Result<Json> enable(const TraceCall& call) {
  const Status enabled = call.service.enable(wish_of(call.params));
  return enabled ? Result<Json>(Json::object()) : Result<Json>(enabled.error());
}

Result<Json> disable(const TraceCall& call) {
  const Status disabled = call.params.contains("events") ? call.service.disable(text_of(call.params, "events"))
                                                         : call.service.disable_all();
  return disabled ? Result<Json>(Json::object()) : Result<Json>(disabled.error());
}

constexpr std::array kMethods = {
    TraceMethod{"trace.group.add", kGroup, group_add},    TraceMethod{"trace.group.del", kGroup, group_del},
    TraceMethod{"trace.group.list", {}, group_list},      TraceMethod{"trace.group.limit", kGroupLimit, group_limit},
    TraceMethod{"trace.event.add", kEvent, event_add},    TraceMethod{"trace.event.del", kEvent, event_del},
    TraceMethod{"trace.event.list", kEvents, event_list}, TraceMethod{"trace.status", kStatus, status},
    TraceMethod{"trace.enable", kWish, enable},           TraceMethod{"trace.disable", kEvents, disable}};

}  // namespace

const TraceMethod* find_trace_method(std::string_view name) {
  const auto at = std::ranges::find(kMethods, name, &TraceMethod::name);
  return at == kMethods.end() ? nullptr : &*at;
}

Result<Json> call_trace_method(const TraceMethod& method, const TraceCall& call) {
  const host::Verb as_verb{.name = method.name, .says = {}, .params = method.params, .returns = {}, .run = nullptr};
  if (Status fits = host::check_params(as_verb, call.params); !fits) return fits.error();
  return method.run(call);
}

std::span<const VerbParam> trace_wish_params() { return kWish; }

TraceService::Wish wish_of(const Json& params) {
  TraceService::Wish wish;
  wish.events = params.value("events", std::string("virtif:*"));
  wish.filter = text_of(params, "filter");
  if (params.contains("buffer_kib")) wish.buffer_kib = params["buffer_kib"].get<std::size_t>();
  if (params.contains("overwrite")) {
    wish.when_full = params["overwrite"].get<bool>() ? trace::WhenFull::overwrite : trace::WhenFull::discard;
  }
  return wish;
}

}  // namespace vif::tools
