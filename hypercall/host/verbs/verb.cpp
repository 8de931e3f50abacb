// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/verbs/verb.hpp"

#include <algorithm>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

bool is_of(ParamType type, const Json& value) {
  switch (type) {
    case ParamType::text:
      return value.is_string();
    case ParamType::boolean:
      return value.is_boolean();
    case ParamType::number:
      return value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
    case ParamType::text_or_null:
      return value.is_string() || value.is_null();
    case ParamType::number_or_null:
      return value.is_null() || is_of(ParamType::number, value);
    case ParamType::object:
      return value.is_object();
  }
  return false;
}

std::string_view type_name(ParamType type) {
  switch (type) {
    case ParamType::text:
      return "a string";
    case ParamType::boolean:
      return "true or false";
    case ParamType::number:
      return "a number without sign or fraction";
    case ParamType::text_or_null:
      return "a string or null";
    case ParamType::number_or_null:
      return "a number without sign or fraction, or null";
    case ParamType::object:
      return "an object";
  }
  return "";
}

// "ifname, mtu": the method `verbs` says more of each.
std::string taken_by(const Verb& verb) {
  std::string all;
  for (const VerbParam& param : verb.params) all.append(all.empty() ? "" : ", ").append(param.name);
  return all.empty() ? "no parameters" : all;
}

std::vector<Verb> in_order_of_the_manual() {
  std::vector<Verb> all;
  for (const std::span<const Verb> family : {link_verbs(), maddr_verbs(), addr_verbs(), route_verbs(), neigh_verbs(),
                                             bridge_verbs(), ping_verbs(), config_verbs()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

}  // namespace

std::span<const Verb> verbs() {
  static const std::vector<Verb> all = in_order_of_the_manual();
  return all;
}

const Verb* find_verb(std::string_view name) {
  const auto verb = std::ranges::find(verbs(), name, &Verb::name);
  return verb == verbs().end() ? nullptr : &*verb;
}

Status check_params(const Verb& verb, const Json& params) {
  const std::string name(verb.name);
  if (!params.is_object()) return fail(EINVAL, name + " takes an object of parameters: " + taken_by(verb));
  for (const auto& [key, value] : params.items()) {
    const auto param = std::ranges::find(verb.params, key, &VerbParam::name);
    if (param == verb.params.end()) {
      return fail(EINVAL, name + " has no parameter '" + key + "'; it takes " + taken_by(verb));
    }
    if (!is_of(param->type, value)) {
      return fail(EINVAL,
                  name + ": '" + key + "' is " + std::string(type_name(param->type)) + ": " + std::string(param->says));
    }
  }
  for (const VerbParam& param : verb.params) {
    if (param.required && !params.contains(param.name)) {
      return fail(EINVAL, name + " needs '" + std::string(param.name) + "': " + std::string(param.says));
    }
  }
  return {};
}

Result<Json> call_verb(Node& node, const Verb& verb, const Json& params) {
  if (Status fits = check_params(verb, params); !fits) return fits.error();
  if (verb.answers_later()) return fail(ENOTSUP, std::string(verb.name) + " is answered later");
  return verb.run(node, params);
}

void begin_verb(Node& node, const Verb& verb, const Json& params, Answer answer) {
  if (!verb.answers_later()) return answer(call_verb(node, verb, params));
  if (Status fits = check_params(verb, params); !fits) return answer(fits.error());
  verb.begin(node, params, std::move(answer));
}

Json verbs_json() {
  Json all = Json::array();
  for (const Verb& verb : verbs()) {
    Json params = Json::array();
    for (const VerbParam& param : verb.params) {
      params.push_back(
          {{"name", param.name}, {"type", type_name(param.type)}, {"required", param.required}, {"says", param.says}});
    }
    all.push_back({{"name", verb.name}, {"says", verb.says}, {"params", std::move(params)}, {"returns", verb.returns}});
  }
  return all;
}

}  // namespace vif::host
