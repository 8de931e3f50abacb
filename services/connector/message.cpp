// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/message.hpp"

namespace vif::cn {
namespace {

template <class T>
T get(const std::byte* from) {
  return load<T, std::endian::native>(from);
}
template <class T>
void put(std::byte* to, T value) {
  store<T, std::endian::native>(to, value);
}

}  // namespace

std::optional<Message> read_message(Bytes from) {
  if (from.size() < kMessageHeaderBytes) return std::nullopt;
  const std::byte* const at = from.data();
  const std::size_t payload_bytes = get<std::uint16_t>(at + 16);
  if (payload_bytes > from.size() - kMessageHeaderBytes) return std::nullopt;
  return Message{.id = {get<std::uint32_t>(at), get<std::uint32_t>(at + 4)},
                 .seq = get<std::uint32_t>(at + 8),
                 .ack = get<std::uint32_t>(at + 12),
                 .flags = get<std::uint16_t>(at + 18),
                 .payload = from.subspan(kMessageHeaderBytes, payload_bytes)};
}

std::optional<Message> read_datagram(Bytes datagram) {
  if (datagram.size() < kNetlinkHeaderBytes) return std::nullopt;
  const std::size_t netlink_bytes = get<std::uint32_t>(datagram.data());
  if (netlink_bytes > datagram.size() || netlink_bytes < kNetlinkHeaderBytes + kMessageHeaderBytes) return std::nullopt;
  if (netlink_bytes - kNetlinkHeaderBytes > kMessageBytesMax) return std::nullopt;
  return read_message(datagram.first(netlink_bytes).subspan(kNetlinkHeaderBytes));
}

std::size_t write_message_header(const Message& message, std::size_t payload_bytes, std::byte* to) {
  put(to, message.id.idx);
  put(to + 4, message.id.val);
  put(to + 8, message.seq);
  put(to + 12, message.ack);
  put(to + 16, static_cast<std::uint16_t>(payload_bytes));
  put(to + 18, message.flags);
  return kMessageHeaderBytes + payload_bytes;
}

std::size_t write_message(const Message& message, std::byte* to) {
  if (!message.payload.empty()) std::memcpy(to + kMessageHeaderBytes, message.payload.data(), message.payload.size());
  return write_message_header(message, message.payload.size(), to);
}

std::size_t write_datagram(const Message& message, std::byte* to) {
  const std::size_t bytes = kNetlinkHeaderBytes + message.bytes();
  put(to, static_cast<std::uint32_t>(bytes));
  put(to + 4, kNetlinkMessageDone);
  put(to + 6, std::uint16_t{0});
  put(to + 8, message.seq);
  put(to + 12, std::uint32_t{0});  // nlmsg_pid: the kernel, or let it fill in ours
  write_message(message, to + kNetlinkHeaderBytes);
  return bytes;
}

}  // namespace vif::cn
