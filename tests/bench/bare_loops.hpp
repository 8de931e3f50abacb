// SPDX-License-Identifier: BSD-2-Clause
// What uring: and pcapdev: are measured beside, on vifa with its peer vifb: the bare calls they stand on, libpcap's own
// loops, tcpreplay. Each returns ns a frame. The bare loops of libpcap do the same work as pcapdev:, which leaves out
// what goes out and has its descriptor waited for.
#pragma once

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "hypercall/io_ring.hpp"
#include "hypercall/unique_fd.hpp"
#include "tests/bench/rounds.hpp"

namespace vif::bench {

using Frame = std::vector<std::byte>;

inline constexpr std::size_t kSent = 16'000;
inline constexpr std::size_t kFilled = 8'000;
inline constexpr std::size_t kBurst = 64;

inline Frame frame_of(std::size_t bytes) {
  Frame frame(bytes, std::byte{0x55});
  const unsigned char header[14] = {2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5};
  std::memcpy(frame.data(), header, sizeof header);
  return frame;
}
inline void bind_to(int fd, const char* name, std::uint16_t protocol) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(name));
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("bind");
}
inline int packet_socket() {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("no packet socket");
  const int room = 256 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  return fd;
}
inline int packet_socket(const char* name, std::uint16_t protocol) {
  const int fd = packet_socket();
  bind_to(fd, name, protocol);
  return fd;
}

inline double send_mmsg(int fd, const Frame& frame, std::size_t count) {
  std::array<iovec, kBurst> slices;
  std::array<mmsghdr, kBurst> messages{};
  for (std::size_t i = 0; i < kBurst; ++i) {
    slices[i] = {const_cast<std::byte*>(frame.data()), frame.size()};
    messages[i].msg_hdr.msg_iov = &slices[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const double begun = now_ns();
  for (std::size_t sent = 0; sent < count; sent += kBurst) {
    if (::sendmmsg(fd, messages.data(), kBurst, MSG_DONTWAIT) != static_cast<int>(kBurst)) give_up("sendmmsg");
  }
  return (now_ns() - begun) / static_cast<double>(count);
}
inline double send_ring(int fd, const Frame& frame) {
  const auto ring = host::IoRing::create(kBurst, 2 * kBurst);
  if (!ring || !(*ring)->register_file(fd)) give_up("io_uring");
  io_uring* const raw = (*ring)->raw();
  const double begun = now_ns();
  for (std::size_t sent = 0; sent < kSent; sent += kBurst) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      io_uring_sqe* const sqe = ::io_uring_get_sqe(raw);
      ::io_uring_prep_send(sqe, 0, frame.data(), frame.size(), MSG_DONTWAIT);
      sqe->flags |= IOSQE_FIXED_FILE;
    }
    if (::io_uring_submit_and_wait(raw, kBurst) != static_cast<int>(kBurst)) give_up("io_uring send");
    ::io_uring_cq_advance(raw, kBurst);
  }
  return (now_ns() - begun) / kSent;
}
// As fast as it can.
inline double tcpreplay(const Frame& frame) {
  const char* const path = "/dev/shm/uring_bench.pcap";
  pcap_t* const dead = pcap_open_dead(DLT_EN10MB, 65'535);
  pcap_dumper_t* const file = pcap_dump_open(dead, path);
  if (file == nullptr) give_up(pcap_geterr(dead));
  pcap_pkthdr header{};
  header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
  for (int i = 0; i < 1000; ++i) {
    pcap_dump(reinterpret_cast<u_char*>(file), &header, reinterpret_cast<const u_char*>(frame.data()));
  }
  pcap_dump_close(file);
  pcap_close(dead);
  const std::string command = std::string("tcpreplay -K --topspeed --loop=16 -i vifa ") + path +
                              " 2>/dev/null | sed -n 's/.* \\([0-9.]*\\) pps.*/\\1/p'";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  double pps = 0;
  if (pipe == nullptr || std::fscanf(pipe, "%lf", &pps) != 1 || pps <= 0) give_up("tcpreplay said no pps");
  ::pclose(pipe);
  ::unlink(path);
  return 1e9 / pps;
}

inline double recv_loop(int fd) {
  std::array<std::byte, 2048> buffer;
  std::size_t n = 0;
  const double begun = now_ns();
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) ++n;
  const double ns = (now_ns() - begun) / static_cast<double>(n);
  ::close(fd);
  return ns;
}
inline void walk(std::byte* ring, std::size_t block_bytes, std::size_t& n) {
  for (std::byte* at = ring;; at += block_bytes) {
    auto* const block = reinterpret_cast<tpacket_block_desc*>(at);
    if ((block->hdr.bh1.block_status & TP_STATUS_USER) == 0) return;
    std::byte* slot = at + block->hdr.bh1.offset_to_first_pkt;
    for (std::uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i, ++n) {
      const auto* const header = reinterpret_cast<tpacket3_hdr*>(slot);
      asm volatile("" ::"r"(slot[header->tp_mac]) : "memory");
      slot += header->tp_next_offset;
    }
    block->hdr.bh1.block_status = TP_STATUS_KERNEL;
  }
}
inline double ring_in_place(int peer, const Frame& frame) {
  const int fd = packet_socket(), version = TPACKET_V3;
  tpacket_req3 request{256U << 10, 64, 2048, 64 * 128, 1, 0, 0};
  ::setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
  if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) give_up("ring");
  const std::size_t bytes = std::size_t{request.tp_block_size} * request.tp_block_nr;
  auto* const ring = static_cast<std::byte*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (ring == MAP_FAILED) give_up("ring");
  bind_to(fd, "vifa", ETH_P_ALL);
  send_mmsg(peer, frame, kFilled);
  ::usleep(20'000);
  std::size_t n = 0;
  const double begun = now_ns();
  walk(ring, request.tp_block_size, n);
  const double ns = (now_ns() - begun) / static_cast<double>(n);
  ::munmap(ring, bytes);
  ::close(fd);
  return ns;
}

inline pcap_t* bare_pcap() {
  char text[PCAP_ERRBUF_SIZE];
  pcap_t* const pcap = pcap_create("vifa", text);
  pcap_set_snaplen(pcap, 262'144);
  pcap_set_buffer_size(pcap, 16 << 20);
  pcap_set_timeout(pcap, 1);
  if (pcap_activate(pcap) < 0) give_up(pcap_geterr(pcap));
  pcap_setnonblock(pcap, 1, text);
  pcap_setdirection(pcap, PCAP_D_IN);
  return pcap;
}
inline double bare_dispatch(int peer, const Frame& frame) {
  pcap_t* const pcap = bare_pcap();
  send_mmsg(peer, frame, kFilled);
  ::usleep(20'000);
  std::size_t n = 0;
  const auto count = [](u_char* self, const pcap_pkthdr*, const u_char* bytes) {
    asm volatile("" ::"r"(*bytes) : "memory");
    ++*reinterpret_cast<std::size_t*>(self);
  };
  const double begun = now_ns();
  while (pcap_dispatch(pcap, kBurst, count, reinterpret_cast<u_char*>(&n)) > 0) continue;
  const double ns = (now_ns() - begun) / static_cast<double>(n);
  pcap_close(pcap);
  return ns;
}
inline double bare_inject(const Frame& frame) {
  pcap_t* const pcap = bare_pcap();
  const host::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));  // as whoever also waits for frames has it
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pcap_get_selectable_fd(pcap), &event);
  const double begun = now_ns();
  for (std::size_t i = 0; i < kSent; ++i) {
    if (pcap_inject(pcap, frame.data(), frame.size()) < 0) give_up(pcap_geterr(pcap));
  }
  const double ns = (now_ns() - begun) / kSent;
  pcap_close(pcap);
  return ns;
}

}  // namespace vif::bench
