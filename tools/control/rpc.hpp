// SPDX-License-Identifier: BSD-2-Clause
// JSON-RPC 2.0 (https://www.jsonrpc.org/specification), a message a line: what virtifd and its clients say to each
// other. Text in, text out; no batches. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "netstack/base/result.hpp"

namespace vif::tools {

using Json = nlohmann::ordered_json;

inline constexpr int kProtocolVersion = 1;
inline constexpr std::size_t kLineBytesMax = 1 << 20;  // a longer line is refused, and its sender hung up on
inline constexpr int kDepthMax = 32;                   // arrays and objects inside each other

// Section 5.1 of the specification. A verb that fails says its errno, which is positive, instead.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;

struct RpcRequest {
  Json id;  // null: a notification, which is not answered
  std::string method;
  Json params;  // an object
};
struct RpcFault {
  int code;
  std::string message;
  Json id;  // null: not to be had from the line
};

// A line without its newline.
std::variant<RpcRequest, RpcFault> parse_request(std::string_view line);

// Whole lines, newline included. Bytes that are no UTF-8 are replaced.
std::string request_line(std::uint64_t id, std::string_view method, const Json& params);
std::string result_line(const Json& id, const Json& result);
std::string fault_line(const RpcFault& fault);
std::string notification_line(std::string_view method, const Json& params);

// The fault that says `error`: its errno and, in "data", the errno's name.
RpcFault fault_of(const Error& error, const Json& id);

}  // namespace vif::tools
