// SPDX-License-Identifier: BSD-2-Clause
// cn_msg, the connector's unit on every wire (Linux UAPI <linux/connector.h>): 20 bytes, then `len` bytes of payload.
// On netlink a datagram is an nlmsghdr around one; on a packed socket they stand back to back. Host byte order, no
// alignment. This is the only reader of either. Values over borrowed bytes; any thread.
#pragma once

#include <optional>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::cn {

// cb_id: who a message is for. The multicast group that belongs to a callback is its idx.
struct CbId {
  std::uint32_t idx = 0, val = 0;
  bool operator==(const CbId&) const = default;
};
inline constexpr CbId kProcId{1, 1};  // CN_IDX_PROC, CN_VAL_PROC

inline constexpr std::size_t kMessageHeaderBytes = 20;   // sizeof(cn_msg), asserted by the kernel
inline constexpr std::size_t kNetlinkHeaderBytes = 16;   // sizeof(nlmsghdr)
inline constexpr std::size_t kMessageBytesMax = 16'384;  // CONNECTOR_MAX_MSG_SIZE, header included
inline constexpr std::uint16_t kNetlinkMessageDone = 3;  // NLMSG_DONE, the type of all of them
inline constexpr std::uint32_t kGroupMax = 26;           // CN_NETLINK_USERS + 15, what the kernel's socket is made with
inline constexpr std::size_t kCallbackNameBytesMax = 31;  // CN_CBQ_NAMELEN without its NUL

struct Message {
  CbId id;
  std::uint32_t seq = 0, ack = 0;  // a reply has the request's seq, and its ack + 1
  std::uint16_t flags = 0;
  Bytes payload;  // borrowed; at most 65535 bytes

  std::size_t bytes() const { return kMessageHeaderBytes + payload.size(); }
};

// The message `from` begins with; nullopt when it is cut off. What follows it is the caller's business.
VIF_API std::optional<Message> read_message(Bytes from);

// The message in a datagram that user space sends to the connector, by the rules of cn_rx_skb: nullopt is what the
// kernel drops in silence. Of several messages the first counts.
VIF_API std::optional<Message> read_datagram(Bytes datagram);

// Writes it to the front of `to`, which has room for message.bytes() (kNetlinkHeaderBytes more for a datagram).
// Returns how much was written.
VIF_API std::size_t write_message(const Message& message, std::byte* to);
// Its header only, for a payload that is behind it already.
VIF_API std::size_t write_message_header(const Message& message, std::size_t payload_bytes, std::byte* to);
VIF_API std::size_t write_datagram(const Message& message, std::byte* to);

}  // namespace vif::cn
