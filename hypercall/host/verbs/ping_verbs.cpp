// SPDX-License-Identifier: BSD-2-Clause
// ping: one echo request, answered when its reply comes.
#include <array>

#include "hypercall/host/verbs/families.hpp"

namespace vif::host {
namespace {

using namespace net::inet;

constexpr std::uint64_t kTimeoutMsMax = 60'000;
constexpr std::array kPingParams = {
    VerbParam{"to", ParamType::text, true, "the IP address"},
    VerbParam{"dev", ParamType::text, false, "the interface, for link-local addresses and groups"},
    VerbParam{"id", ParamType::number, false, "of the echo request, 0 to 65535; 0 when it is not given"},
    VerbParam{"sequence", ParamType::number, false, "the same; a reply is known by both"},
    VerbParam{"bytes", ParamType::number, false, "of data, 0 to 65507; 56 when it is not given"},
    VerbParam{"timeout_ms", ParamType::number, false, "1 to 60000; 1000 when it is not given"}};

// The number `key`, `usual` when it is not given. EINVAL: it is not in the range.
Result<std::uint64_t> number(const Json& params, const char* key, std::uint64_t usual, std::uint64_t max) {
  const std::uint64_t given = params.value(key, usual);
  if (given <= max) return given;
  return fail(EINVAL, std::string(key) + " " + std::to_string(given) + " is above " + std::to_string(max));
}

Result<Pings::Request> parse(Node& node, const Json& params) {
  Pings::Request request;
  const Result<IpAddress> to = IpAddress::parse(params["to"].get_ref<const std::string&>());
  if (!to) return to.error();
  request.to = *to;
  if (const auto dev = text(params, "dev")) {
    const Result<net::Ifnet*> ifp = node.find(*dev);
    if (!ifp) return ifp.error();
    request.via = *ifp;
  }
  const std::array<Result<std::uint64_t>, 4> numbers = {
      number(params, "id", 0, UINT16_MAX), number(params, "sequence", 0, UINT16_MAX),
      number(params, "bytes", 56, Pings::kDataBytesMax), number(params, "timeout_ms", 1000, kTimeoutMsMax)};
  for (const Result<std::uint64_t>& value : numbers) {
    if (!value) return value.error();
  }
  request.id = static_cast<std::uint16_t>(*numbers[0]);
  request.sequence = static_cast<std::uint16_t>(*numbers[1]);
  request.data_bytes = *numbers[2];
  request.timeout = std::chrono::milliseconds(*numbers[3]);
  return request;
}

Error with_advice(Error error) {
  if (error.number() == ENETUNREACH) error.text += ": no network of an address and no route leads there";
  return error;
}

void ping(Node& node, const Json& params, Answer answer) {
  const Result<Pings::Request> request = parse(node, params);
  if (!request) return answer(request.error());
  node.pings().send(*request, [answer = std::move(answer)](const Result<Pings::Answer>& came) {
    if (!came) return answer(with_advice(came.error()));
    answer(Json{{"from", came->from.to_string()},
                {"bytes", came->data_bytes},
                {"ttl", came->hops},
                {"time_ns", came->took.count()}});
  });
}

constexpr std::array kVerbs = {
    Verb{"ping",
         "Sends an echo request, and is answered when the reply comes, later than requests behind it: several may be "
         "under way. ETIMEDOUT: none came; ENETUNREACH: there is no route.",
         kPingParams, "{from, bytes, ttl, time_ns}", nullptr, ping}};

}  // namespace

std::span<const Verb> ping_verbs() { return kVerbs; }

}  // namespace vif::host
