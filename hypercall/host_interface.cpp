// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host_interface.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kMessageBytesMax = 32'768;  // NLMSG_GOODSIZE's upper bound for one datagram (netlink(7))
constexpr unsigned kLowerUp = 1U << 16;           // IFF_LOWER_UP of linux/if.h, which net/if.h lacks

// The fixed part at the front of `bytes`, which must hold it.
template <class T>
T front(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// What lies behind `used` bytes padded to netlink's alignment of 4, or nothing.
Bytes behind(Bytes bytes, std::size_t used) { return bytes.subspan(std::min(bytes.size(), NLMSG_ALIGN(used))); }

}  // namespace

Result<UniqueFd> HostInterface::open_netlink() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!socket) return host_error("cannot ask about network interfaces (rtnetlink)");
  return socket;
}

Result<HostInterface> HostInterface::open(const std::string& name) {
  Result<UniqueFd> netlink = open_netlink();
  if (!netlink) return std::move(netlink).error();
  return open(name, std::move(*netlink));
}

Result<HostInterface> HostInterface::open(const std::string& name, UniqueFd socket) {
  // if_nametoindex would want a descriptor of its own, and say ENOENT when there is none left.
  ifreq request{};
  if (name.size() >= IFNAMSIZ)
    return fail(ENODEV, "no network interface " + name + ": names have at most 15 characters");
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFINDEX, &request) != 0) return host_error("no network interface " + name);
  HostInterface opened(std::move(socket), static_cast<unsigned>(request.ifr_ifindex));
  if (Status ok = opened.listen(); !ok) return std::move(ok).error();
  if (Status ok = opened.ask(); !ok) return std::move(ok).error();
  // The kernel answers while we ask, so that the answer is there.
  opened.update();
  if (opened.state_.gone || opened.state_.name.empty()) return fail(ENODEV, "network interface " + name + " went away");
  return opened;
}

// To this interface's changes only: with many links in a process, each would else wake for all the others'.
Status HostInterface::listen() {
  constexpr auto kTypeAt = offsetof(nlmsghdr, nlmsg_type);
  constexpr auto kIndexAt = NLMSG_HDRLEN + offsetof(ifinfomsg, ifi_index);
  // Loads are big-endian whatever the host is, what netlink wrote is in the host's order.
  // An answer of another type is an error's, which is for us.
  std::array<sock_filter, 7> program = {{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kTypeAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWLINK), 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kIndexAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(index_), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{program.size(), program.data()};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    return host_error("cannot filter rtnetlink's messages");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return host_error("cannot listen to rtnetlink's messages");
  }
  return {};
}

Status HostInterface::ask() {
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = RTM_GETLINK;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.link.ifi_index = static_cast<int>(index_);
  if (::send(socket_.get(), &question, sizeof question, 0) < 0) return host_error("cannot ask rtnetlink");
  return {};
}

bool HostInterface::update() {
  const HostInterfaceState before = state_;
  while (receive()) continue;
  return !(state_ == before);
}

// One datagram; false: there is none.
bool HostInterface::receive() {
  std::array<std::byte, kMessageBytesMax> buffer;
  const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) {
    if (errno == EINTR) return true;
    // Messages were lost: ask for the state instead.
    return errno == ENOBUFS && ask();
  }
  Bytes left(buffer.data(), static_cast<std::size_t>(n));
  while (left.size() >= sizeof(nlmsghdr)) {
    const std::size_t length = front<nlmsghdr>(left).nlmsg_len;
    if (length < sizeof(nlmsghdr) || length > left.size()) break;
    read_message(left.first(length));
    left = behind(left, length);
  }
  return true;
}

void HostInterface::read_message(Bytes message) {
  const auto header = front<nlmsghdr>(message);
  const Bytes body = message.subspan(sizeof header);
  if (header.nlmsg_type == NLMSG_ERROR) {
    if (body.size() >= sizeof(nlmsgerr) && front<nlmsgerr>(body).error == -ENODEV) state_.gone = true;
    return;
  }
  if (body.size() < sizeof(ifinfomsg)) return;
  const auto link = front<ifinfomsg>(body);
  if (link.ifi_index != static_cast<int>(index_)) return;
  if (header.nlmsg_type == RTM_DELLINK) {
    state_.gone = true;
  } else if (header.nlmsg_type == RTM_NEWLINK) {
    state_.type = link.ifi_type;
    state_.up = (link.ifi_flags & IFF_UP) != 0;
    state_.carrier = (link.ifi_flags & kLowerUp) != 0;
    read_link(behind(body, sizeof link));
  }
}

void HostInterface::read_link(Bytes attributes) {
  while (attributes.size() >= sizeof(rtattr)) {
    const auto attribute = front<rtattr>(attributes);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > attributes.size()) return;
    const Bytes value = attributes.subspan(sizeof attribute, attribute.rta_len - sizeof attribute);
    if (attribute.rta_type == IFLA_MTU && value.size() >= sizeof(std::uint32_t)) {
      state_.mtu_bytes = front<std::uint32_t>(value);
    } else if (attribute.rta_type == IFLA_ADDRESS && value.size() == net::kMacBytes) {
      state_.lladdr = net::MacAddress::load(value.data());
    } else if (attribute.rta_type == IFLA_IFNAME && !value.empty()) {
      const char* const text = reinterpret_cast<const char*>(value.data());
      state_.name.assign(text, ::strnlen(text, value.size()));
    }
    attributes = behind(attributes, attribute.rta_len);
  }
}

}  // namespace vif::host
