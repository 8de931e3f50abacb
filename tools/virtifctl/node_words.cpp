// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/node_words.hpp"

#include <algorithm>
#include <array>

#include "hypercall/host/verbs/verb.hpp"
#include "tools/control/parse_number.hpp"
#include "tools/virtifctl/ip_words.hpp"

namespace vif::tools {
namespace {

// A word that may stand in a command, and the parameter it gives.
struct Word {
  enum class Takes : std::uint8_t { value, number, on_off, yes, no, null };

  std::string_view word, param;
  Takes takes;
};
using Takes = Word::Takes;

struct Command {
  std::string_view action;
  std::string_view subject;  // the parameter that a word of no other meaning gives; empty: none
  std::span<const Word> words;
  std::string_view usage;
  std::string_view verb = {};  // empty: OBJECT.ACTION
};

struct Object {
  std::string_view name;
  std::span<const Command> commands;
};

constexpr std::array kLinkSet = {Word{"dev", "ifname", Takes::value},
                                 Word{"up", "up", Takes::yes},
                                 Word{"down", "up", Takes::no},
                                 Word{"mtu", "mtu", Takes::number},
                                 Word{"address", "address", Takes::value},
                                 Word{"promisc", "promisc", Takes::on_off},
                                 Word{"allmulti", "allmulti", Takes::on_off},
                                 Word{"linkstr", "linkstr", Takes::value},
                                 Word{"nolinkstr", "linkstr", Takes::null},
                                 Word{"master", "master", Takes::value},
                                 Word{"nomaster", "master", Takes::null}};
constexpr auto kLinkAdd = [] {
  std::array<Word, kLinkSet.size() + 1> all{Word{"name", "ifname", Takes::value}};
  std::ranges::copy(kLinkSet, all.begin() + 1);
  return all;
}();
constexpr std::array kDevIfname = {Word{"dev", "ifname", Takes::value}};
constexpr std::array kAddrAdd = {kDevIfname[0], Word{"probe", "probe", Takes::yes}};
constexpr std::array kRoute = {Word{"to", "dst", Takes::value}, Word{"via", "gateway", Takes::value},
                               Word{"dev", "dev", Takes::value}};
constexpr std::array kNeigh = {Word{"to", "dst", Takes::value}, Word{"lladdr", "lladdr", Takes::value},
                               Word{"dev", "dev", Takes::value}};

constexpr std::array kFdb = {Word{"dev", "dev", Takes::value}};
constexpr std::array kOfBridge = {Word{"br", "ifname", Takes::value}};

constexpr std::string_view kSetUsage =
    " NAME [up | down] [linkstr S | nolinkstr] [master BRIDGE | nomaster] [mtu N] [address MAC] [promisc on|off] "
    "[allmulti on|off]";
constexpr std::array kLink = {
    Command{"add", "ifname", kLinkAdd, kSetUsage}, Command{"set", "ifname", kLinkSet, kSetUsage},
    Command{"del", "ifname", kDevIfname, " NAME"}, Command{"show", "ifname", kDevIfname, " [NAME]"}};
constexpr std::array kMaddr = {Command{"add", "address", kDevIfname, " MAC[-MAC] dev NAME"},
                               Command{"del", "address", kDevIfname, " MAC[-MAC] dev NAME"},
                               Command{"show", "ifname", kDevIfname, " [dev NAME]"}};
constexpr std::array kAddr = {Command{"add", "local", kAddrAdd, " ADDRESS/LENGTH|dhcp dev NAME [probe]"},
                              Command{"replace", "local", kAddrAdd, " ADDRESS/LENGTH dev NAME", "addr.add"},
                              Command{"del", "local", kDevIfname, " ADDRESS|dhcp dev NAME"},
                              Command{"flush", "", kDevIfname, " dev NAME", "addr.show"},
                              Command{"show", "ifname", kDevIfname, " [dev NAME]"}};
constexpr std::array kRoutes = {Command{"add", "dst", kRoute, " NETWORK|default [via ADDRESS] [dev NAME]"},
                                Command{"del", "dst", kRoute, " NETWORK|default [via ADDRESS] [dev NAME]"},
                                Command{"get", "dst", {}, " ADDRESS", "route.show"}, Command{"show", "", {}, ""}};
constexpr std::array kNeighs = {Command{"add", "dst", kNeigh, " ADDRESS lladdr MAC dev NAME"},
                                Command{"del", "dst", kNeigh, " ADDRESS dev NAME"},
                                Command{"show", "", std::span(kNeigh).subspan<2>(), " [dev NAME]"}};
constexpr std::array kPorts = {Command{"show", "ifname", kOfBridge, " [BRIDGE]"}};
constexpr std::array kFdbs = {Command{"add", "lladdr", kFdb, " MAC dev PORT"},
                              Command{"del", "lladdr", kFdb, " MAC dev PORT"},
                              Command{"show", "ifname", kOfBridge, " [BRIDGE]"}};
constexpr std::array kObjects = {Object{"link", kLink},    Object{"maddr", kMaddr},  Object{"addr", kAddr},
                                 Object{"route", kRoutes}, Object{"neigh", kNeighs}, Object{"port", kPorts},
                                 Object{"fdb", kFdbs}};

const Object& object_named(std::string_view name) { return *std::ranges::find(kObjects, name, &Object::name); }

// ip(8) has more than one word for some, and takes those that are only begun.
std::string_view plain_action(std::string_view action, std::span<const Command> commands) {
  if (action == "delete") return "del";
  if (action == "list" || action == "ls" || action == "lst") return "show";
  std::vector<std::string_view> known;
  for (const Command& command : commands) known.push_back(command.action);
  const std::string_view whole = completed(action, known);
  return whole.empty() ? action : whole;
}

std::string list(std::span<const Word> words) {
  std::string all;
  for (const Word& word : words) all.append(all.empty() ? "" : ", ").append(word.word);
  return all;
}

// What the verb says of the word's parameter.
std::string meaning(const host::Verb& verb, const Word& word) {
  const auto param = std::ranges::find(verb.params, word.param, &host::VerbParam::name);
  return param == verb.params.end() ? std::string() : ": " + std::string(param->says);
}

Result<Json> value_of(const host::Verb& verb, const Word& word, const std::string* next) {
  if (word.takes == Takes::yes) return Json(true);
  if (word.takes == Takes::no) return Json(false);
  if (word.takes == Takes::null) return Json(nullptr);
  const std::string name(word.word);
  if (next == nullptr) return fail(EINVAL, "'" + name + "' wants a value behind it");
  if (word.takes == Takes::value) return Json(*next);
  if (word.takes == Takes::on_off) {
    if (*next == "on" || *next == "off") return Json(*next == "on");
    return fail(EINVAL, "'" + name + "' wants on or off, not '" + *next + "'");
  }
  if (const auto number = parse_number<std::uint32_t>(*next)) return Json(*number);
  return fail(EINVAL, "'" + name + "' wants a number, not '" + *next + "'" + meaning(verb, word));
}

bool takes_next(const Word& word) {
  return word.takes == Takes::value || word.takes == Takes::number || word.takes == Takes::on_off;
}

Result<Json> parse_params(const host::Verb& verb, const Command& command, std::span<const std::string> words) {
  Json params = Json::object();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = std::ranges::find(command.words, words[i], &Word::word);
    if (word != command.words.end()) {
      Result<Json> value = value_of(verb, *word, i + 1 < words.size() ? &words[i + 1] : nullptr);
      if (!value) return value.error();
      if (params.contains(word->param)) return fail(EINVAL, "'" + std::string(word->param) + "' is said twice");
      params[std::string(word->param)] = std::move(*value);
      if (takes_next(*word)) ++i;
    } else if (!command.subject.empty() && !params.contains(command.subject)) {
      params[std::string(command.subject)] = words[i];
    } else {
      return fail(EINVAL, "'" + words[i] + "' means nothing here" +
                              (command.words.empty() ? std::string() : "; expected " + list(command.words)));
    }
  }
  return params;
}

std::string usage_of(std::string_view object, const Command& command) {
  std::string usage = "  virtifctl ";
  return usage.append(object).append(" ").append(command.action).append(command.usage) + '\n';
}

// Whether all is there that the verb needs, in the words of the command.
Status check_whole(const NodeCall& call, const Command& command, std::string_view object) {
  if (call.action == "flush" && !call.params.contains("ifname")) return fail(EINVAL, "say behind 'dev' whose");
  if (call.action == "get" && !call.params.contains("dst")) return fail(EINVAL, "say the way to which address");
  for (const host::VerbParam& param : host::find_verb(call.verb)->params) {
    if (!param.required || call.params.contains(param.name)) continue;
    const auto word = std::ranges::find(command.words, param.name, &Word::param);
    const std::string behind = param.name == command.subject || word == command.words.end()
                                   ? std::string()
                                   : " behind '" + std::string(word->word) + "'";
    return fail(EINVAL, "say" + behind + " " + std::string(param.says) + "; expected\n" + usage_of(object, command));
  }
  return {};
}

}  // namespace

std::span<const std::string_view> node_objects() {
  static constexpr std::array<std::string_view, 7> kNames = {"link", "maddr", "addr", "route", "neigh", "port", "fdb"};
  return kNames;
}

std::string node_usage(std::string_view object) {
  std::string usage;
  for (const Command& command : object_named(object).commands) {
    usage += usage_of(object, command);
  }
  return usage;
}

Result<NodeCall> parse_node_words(std::string_view object, const std::vector<std::string>& words) {
  const std::span<const Command> commands = object_named(object).commands;
  const std::string_view action = words.empty() ? "show" : plain_action(words.front(), commands);
  const auto command = std::ranges::find(commands, action, &Command::action);
  if (command == commands.end()) {
    return fail(EINVAL, "'" + words.front() + "' cannot be done to " + std::string(object) + "; expected one of\n" +
                            node_usage(object));
  }
  const std::string verb =
      command->verb.empty() ? std::string(object) + "." + std::string(action) : std::string(command->verb);
  Result<Json> params = parse_params(*host::find_verb(verb), *command, std::span(words).subspan(words.empty() ? 0 : 1));
  if (!params) return params.error();
  NodeCall call{verb, std::move(*params), std::string(action)};
  if (Status whole = check_whole(call, *command, object); !whole) return whole.error();
  return call;
}

}  // namespace vif::tools
