// SPDX-License-Identifier: BSD-2-Clause
// The one table of verbs: every operation on a Node exists once, JSON in, JSON out. virtifd carries it over a socket,
// virtifctl calls it, tests call it in-process; they parse and print only. docs/protocol.md is written from it.
//
// A verb runs on the node's domain's thread. JSON of interfaces has the keys of iproute2's `ip -j`, so that scripts
// written for that read ours; what is ours alone stands under "virtif".
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "hypercall/host/node.hpp"

namespace vif::host {

using Json = nlohmann::ordered_json;

enum class ParamType : std::uint8_t { text, boolean, number, text_or_null, number_or_null, object };

struct VerbParam {
  std::string_view name;
  ParamType type;
  bool required;
  std::string_view says;  // what it is, in a few words, with its unit and range
};

// Takes the result, once, on the domain's thread; not when the node goes first.
using Answer = std::function<void(const Result<Json>&)>;

struct Verb {
  std::string_view name;  // "link.add"
  std::string_view says;
  std::span<const VerbParam> params;
  std::string_view returns;
  Result<Json> (*run)(Node& node, const Json& params);  // with parameters that call_verb has checked
  // Instead of run, where the answer takes its time.
  void (*begin)(Node& node, const Json& params, Answer answer) = nullptr;
  // It reads, changes nothing and asks for no time: Loop::try_look may run it, too.
  bool only_looks = false;

  bool answers_later() const { return begin != nullptr; }
};

// By name, in the order of the manual.
std::span<const Verb> verbs();
const Verb* find_verb(std::string_view name);  // null: there is none

// EINVAL: `params` is not an object, has a parameter the verb does not know, lacks one it needs, or one of another
// type; the text says which, and what it takes. ENOTSUP: it answers later. Otherwise what the verb says.
Result<Json> call_verb(Node& node, const Verb& verb, const Json& params);

// The same for a verb of either kind: it is answered before this returns, or later.
void begin_verb(Node& node, const Verb& verb, const Json& params, Answer answer);

// Their first half: EINVAL as above.
Status check_params(const Verb& verb, const Json& params);
// What there is, as the method "verbs" tells it: [{name, says, params: [{name, type, required, says}], returns}].
Json verbs_json();

// An interface with the keys of `ip -j -d link`, with stats64 where asked.
Json link_json(Node& node, const net::Ifnet& ifp, bool with_stats);

}  // namespace vif::host
