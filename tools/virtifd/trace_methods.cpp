// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/trace_methods.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "services/trace/filter.hpp"

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

Result<trace::Group*> group_of(TraceService& service, const std::string& name) {
  if (name.empty()) return &service.tracing().root();
  if (trace::Group* const group = service.tracing().find_group(name); group != nullptr) return group;
  return fail(ENOENT, "there is no group '" + name + "'; `virtifctl trace group list` shows what there is");
}

Json group_json(const trace::Group& group) {
  return {{"group", group.name()},
          {"system", group.system(trace::Formats::single)},
          {"events", group.events().size()},
          {"limit", group.limit()},
          {"used", !group.busy_reason().empty()}};
}

Result<Json> group_add(TraceService& service, const Json& params) {
  const Result<trace::Group*> made = service.tracing().create_group(text_of(params, "group"));
  return made ? Result<Json>(group_json(**made)) : Result<Json>(made.error());
}

Result<Json> group_del(TraceService& service, const Json& params) {
  const Status removed = service.tracing().remove_group(text_of(params, "group"));
  return removed ? Result<Json>(Json::object()) : Result<Json>(removed.error());
}

Result<Json> group_list(TraceService& service, const Json&) {
  Json all = Json::array();
  for (const trace::Group* const group : service.tracing().groups()) all.push_back(group_json(*group));
  return all;
}

Result<Json> group_limit(TraceService& service, const Json& params) {
  const Result<trace::Group*> group = group_of(service, text_of(params, "group"));
  if (!group) return group.error();
  const std::uint64_t limit = std::min<std::uint64_t>(params["limit"].get<std::uint64_t>(), trace::kGroupEventsMax + 1);
  const Status set = (*group)->set_limit(static_cast<std::uint32_t>(limit));
  return set ? Result<Json>(group_json(**group)) : Result<Json>(set.error());
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
  const std::string name = event_json(event)["event"];
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return trace::glob_matches(pattern, name) || trace::glob_matches(pattern, event.name);
         });
}

Result<Json> event_list(TraceService& service, const Json& params) {
  const std::vector<std::string> patterns = words_of(text_of(params, "events"));
  Json all = Json::array();
  for (const trace::Group* const group : service.tracing().groups()) {
    for (const trace::UserEvent* const event : group->events()) {
      if (is_named(*event, patterns)) all.push_back(event_json(*event));
    }
  }
  return all;
}

Result<Json> event_add(TraceService& service, const Json& params) {
  const Result<trace::Group*> group = group_of(service, text_of(params, "group"));
  if (!group) return group.error();
  const Result<trace::UserEvent*> event = (*group)->obtain(text_of(params, "event"), {});
  if (!event) return event.error();
  Json said = event_json(**event);
  (*group)->release(**event);  // it stays until it is removed
  const Status described = service.describe_flight();
  return described ? Result<Json>(std::move(said)) : Result<Json>(described.error());
}

Result<Json> event_del(TraceService& service, const Json& params) {
  const Result<trace::Group*> group = group_of(service, text_of(params, "group"));
  if (!group) return group.error();
  const Status removed = (*group)->remove(text_of(params, "event"));
  return removed ? Result<Json>(Json::object()) : Result<Json>(removed.error());
}

Result<Json> status(TraceService& service, const Json& params) {
  const Result<trace::Group*> group = group_of(service, text_of(params, "group"));
  if (!group) return group.error();
  return Json{{"text", (*group)->status_text()}, {"recording", service.flight() != nullptr}};
}

Result<Json> enable(TraceService& service, const Json& params) {
  TraceService::Wish wish = wish_of(params);
  if (!params.contains("overwrite")) wish.when_full = trace::WhenFull::overwrite;  // the latest is what is wanted
  const Status enabled = service.enable(wish);
  return enabled ? Result<Json>(Json::object()) : Result<Json>(enabled.error());
}

Result<Json> disable(TraceService& service, const Json& params) {
  service.disable(text_of(params, "events"));
  return Json::object();
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

Result<Json> call_trace_method(TraceService& service, const TraceMethod& method, const Json& params) {
  const host::Verb as_verb{.name = method.name, .says = {}, .params = method.params, .returns = {}, .run = nullptr};
  if (Status fits = host::check_params(as_verb, params); !fits) return fits.error();
  return method.run(service, params);
}

std::span<const VerbParam> trace_wish_params() { return kWish; }

TraceService::Wish wish_of(const Json& params) {
  TraceService::Wish wish{.events = params.value("events", std::string("virtif:*")),
                          .filter = text_of(params, "filter")};
  wish.buffer_kib = params.value("buffer_kib", wish.buffer_kib);
  if (params.value("overwrite", false)) wish.when_full = trace::WhenFull::overwrite;
  return wish;
}

}  // namespace vif::tools
