// SPDX-License-Identifier: BSD-2-Clause
#include "tools/control/rpc.hpp"

#include <cstring>

namespace vif::tools {
namespace {

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The members, in JSON already, behind the version: what is large is not copied into a message first.
std::string line_of(std::string_view members) { return R"({"jsonrpc":"2.0",)" + std::string(members) + "}\n"; }

bool is_id(const Json& id) { return id.is_string() || id.is_number() || id.is_null(); }

// The message, or discarded when it is no JSON or deeper than kDepthMax.
Json parse(std::string_view line, bool& too_deep) {
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDepthMax) too_deep = true;
    return !too_deep;
  };
  return Json::parse(line, watch_depth, false);
}

}  // namespace

std::variant<RpcRequest, RpcFault> parse_request(std::string_view line) {
  bool too_deep = false;
  const Json message = parse(line, too_deep);
  if (too_deep) return RpcFault{kInvalidRequest, "nested deeper than " + std::to_string(kDepthMax), nullptr};
  if (message.is_discarded()) return RpcFault{kParseError, "a line must be one JSON value in UTF-8", nullptr};
  if (message.is_array()) return RpcFault{kInvalidRequest, "no batches: send a line for each request", nullptr};
  if (!message.is_object()) return RpcFault{kInvalidRequest, "a request is an object", nullptr};

  const Json id = message.value("id", Json(nullptr));
  if (!is_id(id)) return RpcFault{kInvalidRequest, "'id' is a string, a number or null", nullptr};
  const auto version = message.find("jsonrpc");
  if (version == message.end() || *version != "2.0") return RpcFault{kInvalidRequest, "'jsonrpc' must be \"2.0\"", id};
  const auto method = message.find("method");
  if (method == message.end() || !method->is_string()) {
    return RpcFault{kInvalidRequest, "'method' must be a string; the method 'verbs' lists what there is", id};
  }
  Json params = message.value("params", Json::object());
  if (!params.is_object()) return RpcFault{kInvalidParams, "'params' are an object: parameters go by name", id};
  return RpcRequest{id, method->get<std::string>(), std::move(params)};
}

std::string request_line(std::uint64_t id, std::string_view method, const Json& params) {
  return line_of(R"("id":)" + std::to_string(id) + R"(,"method":)" + text_of(method) + R"(,"params":)" +
                 text_of(params));
}

std::string result_line(const Json& id, const Json& result) {
  return line_of(R"("id":)" + text_of(id) + R"(,"result":)" + text_of(result));
}

std::string fault_line(const RpcFault& fault) {
  Json error = {{"code", fault.code}, {"message", fault.message}};
  if (const char* name = fault.code > 0 ? strerrorname_np(fault.code) : nullptr) error["data"] = {{"errno", name}};
  return line_of(R"("id":)" + text_of(fault.id) + R"(,"error":)" + text_of(error));
}

std::string notification_line(std::string_view method, const Json& params) {
  return line_of(R"("method":)" + text_of(method) + R"(,"params":)" + text_of(params));
}

RpcFault fault_of(const Error& error, const Json& id) { return {error.number(), error.text, id}; }

}  // namespace vif::tools
