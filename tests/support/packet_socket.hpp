// SPDX-License-Identifier: BSD-2-Clause
// The host's side of a host interface, for tests: a packet socket that sends out through it and sees what comes in,
// with the virtio_net_hdr of packet(7)'s PACKET_VNET_HDR. In the calling thread's network namespace when made.
#pragma once

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "hypercall/unique_fd.hpp"
#include "tests/conformance/recording_sink.hpp"

namespace vif::test {

class PacketSocket {
 public:
  explicit PacketSocket(const std::string& interface)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
    set(SOL_PACKET, PACKET_VNET_HDR, 1);
    set(SOL_PACKET, PACKET_AUXDATA, 1);
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set(SOL_SOCKET, SO_RCVBUF, 4 << 20);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << interface << ": " << std::strerror(errno);
  }

  // False: the interface does not take it.
  bool send(const WireFrame& frame) {
    iovec pieces[2] = {{const_cast<net::Offload*>(&frame.offload), sizeof frame.offload},
                       {const_cast<std::byte*>(frame.bytes.data()), frame.bytes.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    return ::sendmsg(fd_.get(), &message, 0) >= 0;
  }

  // The next frame that came in, waiting for it at most so long.
  std::optional<WireFrame> receive(int patience_ms = 0) {
    pollfd waited{fd_.get(), POLLIN, 0};
    if (::poll(&waited, 1, patience_ms) != 1) return std::nullopt;
    WireFrame frame;
    iovec pieces[2] = {{&frame.offload, sizeof frame.offload}, {buffer_.data(), buffer_.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(tpacket_auxdata))];
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t bytes = ::recvmsg(fd_.get(), &message, 0);
    if (bytes < static_cast<ssize_t>(sizeof frame.offload)) return std::nullopt;
    frame.bytes.assign(buffer_.begin(), buffer_.begin() + bytes - static_cast<ssize_t>(sizeof frame.offload));
    if (const cmsghdr* const beside = CMSG_FIRSTHDR(&message)) put_tag_back(frame, CMSG_DATA(beside));
    return frame;
  }
  WireFrames receive_all() {
    WireFrames frames;
    while (auto frame = receive()) frames.push_back(std::move(*frame));
    return frames;
  }

 private:
  static constexpr std::size_t kBytesMax = 70'000;

  // The kernel takes the outer one out of the bytes before any socket sees them.
  static void put_tag_back(WireFrame& frame, const unsigned char* auxdata) {
    tpacket_auxdata aux;
    std::memcpy(&aux, auxdata, sizeof aux);
    if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0) return;
    frame.bytes = tagged(std::move(frame.bytes), aux.tp_vlan_tci, aux.tp_vlan_tpid);
    if (frame.offload.hdr_len != 0) frame.offload.hdr_len += net::kVlanTagBytes;
    if ((frame.offload.flags & net::Offload::kNeedsChecksum) != 0) frame.offload.csum_start += net::kVlanTagBytes;
  }
  void set(int level, int name, int value) {
    EXPECT_EQ(::setsockopt(fd_.get(), level, name, &value, sizeof value), 0) << name << ": " << std::strerror(errno);
  }

  host::UniqueFd fd_;
  Frame buffer_ = Frame(kBytesMax);
};

}  // namespace vif::test
