// SPDX-License-Identifier: BSD-2-Clause
#include "tools/control/rpc.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::tools;

RpcRequest request(std::string_view line) {
  auto parsed = parse_request(line);
  EXPECT_TRUE(std::holds_alternative<RpcRequest>(parsed)) << line;
  return std::holds_alternative<RpcRequest>(parsed) ? std::get<RpcRequest>(parsed) : RpcRequest{};
}
RpcFault fault(std::string_view line) {
  auto parsed = parse_request(line);
  EXPECT_TRUE(std::holds_alternative<RpcFault>(parsed)) << line;
  return std::holds_alternative<RpcFault>(parsed) ? std::get<RpcFault>(parsed) : RpcFault{};
}

TEST(Rpc, reads_a_request) {
  const RpcRequest read = request(R"({"jsonrpc":"2.0","id":"a","method":"link.show","params":{"ifname":"virt0"}})");
  EXPECT_EQ(read.id, "a");
  EXPECT_EQ(read.method, "link.show");
  EXPECT_EQ(read.params, (Json{{"ifname", "virt0"}}));
  EXPECT_EQ(request(R"({"jsonrpc":"2.0","id":1,"method":"x"})").params, Json::object()) << "may be left out";
  EXPECT_EQ(request("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}\r").method, "x") << "from a telnet";
  EXPECT_TRUE(request(R"({"jsonrpc":"2.0","method":"x"})").id.is_null()) << "a notification";
}

TEST(Rpc, says_what_is_wrong_with_a_line_and_whose_it_was) {
  EXPECT_EQ(fault("").code, kParseError);
  EXPECT_EQ(fault("{").code, kParseError);
  EXPECT_EQ(fault("{\"a\":\"\xff\"}").code, kParseError) << "no UTF-8";
  EXPECT_EQ(fault("{} {}").code, kParseError) << "two in a line";
  EXPECT_EQ(fault("7").code, kInvalidRequest);
  EXPECT_EQ(fault(R"([{"jsonrpc":"2.0","id":1,"method":"x"}])").code, kInvalidRequest) << "no batches";
  EXPECT_EQ(fault(R"({"id":1,"method":"x"})").code, kInvalidRequest);
  EXPECT_EQ(fault(R"({"jsonrpc":2.0,"id":1,"method":"x"})").code, kInvalidRequest);
  EXPECT_EQ(fault(R"({"jsonrpc":"2.0","id":{},"method":"x"})").code, kInvalidRequest);
  const RpcFault no_method = fault(R"({"jsonrpc":"2.0","id":5})");
  EXPECT_EQ(no_method.code, kInvalidRequest);
  EXPECT_EQ(no_method.id, 5);
  EXPECT_EQ(fault(R"({"jsonrpc":"2.0","id":5,"method":"x","params":[1]})").code, kInvalidParams);
}

TEST(Rpc, refuses_what_is_nested_too_deeply_however_long) {
  EXPECT_EQ(fault(std::string(500'000, '[')).code, kInvalidRequest);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(fault(objects).code, kInvalidRequest);
  std::string within = R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":)";
  for (int i = 0; i < kDepthMax - 2; ++i) within += '[';
  for (int i = 0; i < kDepthMax - 2; ++i) within += ']';
  EXPECT_EQ(request(within + "}}").method, "x");
}

TEST(Rpc, writes_lines_that_hold_whatever_they_are_given) {
  EXPECT_EQ(result_line(3, Json::array()), "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":[]}\n");
  EXPECT_EQ(request_line(1, "link.show", Json::object()),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"link.show\",\"params\":{}}\n");
  const std::string odd = fault_line(fault_of(fail(EEXIST, "a\nb\xff"), "x"));
  EXPECT_EQ(odd.find('\n'), odd.size() - 1) << odd;
  const Json said = Json::parse(odd);
  EXPECT_EQ(said["error"]["code"], EEXIST);
  EXPECT_EQ(said["error"]["data"]["errno"], "EEXIST");
  EXPECT_EQ(said["id"], "x");
}

}  // namespace
