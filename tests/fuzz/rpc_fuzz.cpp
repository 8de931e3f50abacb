// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a line to virtifd: a request or a fault, and the answer to either is one line of JSON with its id.
#include <cstdint>

#include "tools/control/rpc.hpp"

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::tools;
  const auto parsed = parse_request({reinterpret_cast<const char*>(data), size});
  const auto* request = std::get_if<RpcRequest>(&parsed);
  const std::string line =
      request != nullptr ? result_line(request->id, request->params) : fault_line(std::get<RpcFault>(parsed));
  require(line.find('\n') == line.size() - 1);
  const Json answer = Json::parse(line, nullptr, false);
  require(answer.is_object());
  if (request != nullptr) require(answer["id"] == request->id && answer["result"] == request->params);
  return 0;
}
