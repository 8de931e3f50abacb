// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/capture_request.hpp"

#include <algorithm>

namespace vif::tools {
namespace {

using host::CaptureTap;

Error wrong(const std::string& what) { return fail(EINVAL, "capture: " + what); }

Status take_ifnames(const Json& value, std::vector<std::string>& into) {
  if (!value.is_array() || value.empty() || value.size() > CaptureTap::kInterfacesMax) {
    return wrong("'ifnames' is an array of 1 to " + std::to_string(CaptureTap::kInterfacesMax) + " interfaces' names");
  }
  for (const Json& ifname : value) {
    if (!ifname.is_string()) return wrong("'ifnames' has names only");
    if (std::ranges::find(into, ifname.get_ref<const std::string&>()) != into.end())
      return wrong("'ifnames' has " + ifname.dump() + " twice");
    into.push_back(ifname);
  }
  return {};
}

Result<net::BpfInsn> instruction_of(const Json& value) {
  const auto is_below = [](const Json& number, std::uint64_t limit) {
    return number.is_number_unsigned() && number.get<std::uint64_t>() < limit;
  };
  const bool is_one = value.is_array() && value.size() == 4 && is_below(value[0], 1U << 16) &&
                      is_below(value[1], 1U << 8) && is_below(value[2], 1U << 8) &&
                      is_below(value[3], std::uint64_t{1} << 32);
  if (!is_one) return wrong("'filter' is an array of instructions [code, jt, jf, k], as `tcpdump -ddd` prints them");
  return net::BpfInsn{.code = value[0], .jt = value[1], .jf = value[2], .k = value[3]};
}

// A program and no expression: libpcap may take minutes to compile one, for which other clients would wait.
Status take_filter(const Json& value, net::BpfProgram& into) {
  if (!value.is_array()) return instruction_of(value).error();
  std::vector<net::BpfInsn> instructions;
  for (const Json& one : value) {
    Result<net::BpfInsn> instruction = instruction_of(one);
    if (!instruction) return instruction.error();
    instructions.push_back(*instruction);
  }
  Result<net::BpfProgram> program = net::BpfProgram::make(instructions);
  if (!program) return wrong("'filter': " + program.error().text);
  into = std::move(*program);
  return {};
}

Status take_dir(const Json& value, net::BpfDirections& into) {
  if (value == "in") into = net::BpfDirections::in;
  else if (value == "out") into = net::BpfDirections::out;
  else return wrong("'dir' is \"in\" or \"out\"; without it frames of both directions are captured");
  return {};
}

Status take_snaplen(const Json& value, std::uint32_t& into) {
  const bool is_fine = value.is_number_unsigned() && value >= 1 && value <= host::kCaptureBodyBytesMax;
  if (!is_fine)
    return wrong("'snaplen' is 1 to " + std::to_string(host::kCaptureBodyBytesMax) + " bytes of each frame");
  into = value.get<std::uint32_t>();
  return {};
}

}  // namespace

Result<CaptureRequest> parse_capture_request(const Json& params) {
  CaptureRequest request;
  for (const auto& [key, value] : params.items()) {
    Status taken = wrong("there is no parameter '" + key + "'; it takes ifnames, filter, dir and snaplen");
    if (key == "ifnames") taken = take_ifnames(value, request.ifnames);
    else if (key == "filter") taken = take_filter(value, request.config.program);
    else if (key == "dir") taken = take_dir(value, request.config.directions);
    else if (key == "snaplen") taken = take_snaplen(value, request.config.snap_bytes);
    if (!taken) return taken.error();
  }
  if (request.ifnames.empty()) return wrong("'ifnames' says of which interfaces");
  return request;
}

}  // namespace vif::tools
