// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/control.hpp"

namespace vif::cn {

std::optional<Request> read_request(Bytes payload) {
  const std::size_t bytes = payload.size();
  if (bytes < 4 || (bytes > 4 && bytes < 8) || (bytes > 8 && bytes < 12)) return std::nullopt;
  const auto word = [&](std::size_t at) { return load<std::uint32_t, std::endian::native>(payload.data() + at); };
  Request request{.op = Op{word(0)}, .wishes = {}, .payload_bytes = bytes};
  if (bytes >= 8) {
    request.mask = effective_mask(word(4));
    request.notify_flags = word(4);
  }
  if (bytes >= 12) request.code = word(8);
  if (bytes >= 16) {
    request.tid = static_cast<std::int32_t>(word(12));
    request.wishes = read_wishes(payload.subspan(16));
  }
  return request;
}

std::vector<std::byte> write_request(const Request& request) {
  std::byte room[kRequestBytesMax];
  const auto put = [&](std::size_t at, std::uint32_t value) {
    store<std::uint32_t, std::endian::native>(room + at, value);
  };
  put(0, static_cast<std::uint32_t>(request.op));
  put(4, request.op == Op::notify ? request.notify_flags : request.mask);
  put(8, request.code);
  put(12, static_cast<std::uint32_t>(request.tid));
  const std::size_t wishes_bytes = write_wishes(request.wishes, room + 16);
  const bool long_form = wishes_bytes > 0 || request.tid != 0;
  const bool masked = request.op == Op::listen && request.mask != kMaskAll;
  const std::size_t bytes = long_form ? 16 + wishes_bytes : request.op == Op::notify ? 12 : masked ? 8 : 4;
  return {room, room + bytes};
}

}  // namespace vif::cn
