// SPDX-License-Identifier: BSD-2-Clause
// Echo through a TAP, asked for by the host itself: an answering thread, which is either the in-tree stack or the bare
// calls (poll, read, write) that could do no less, and the pings of a raw socket. Both answer on the same TAP, in turn.
// Needs a network namespace and its root.
#pragma once

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "netstack/checksum.hpp"
#include "netstack/inet/inet.hpp"
#include "tests/bench/raw_tap.hpp"

namespace vif::bench {

inline constexpr const char* kEchoTap = "vifecho";
inline constexpr int kEchoProcessor = 1;  // the pings are made on the other
inline constexpr int kLookMs = 10;        // how often an answering thread looks whether it is to end

// 192.0.2.1 on the host's side, which knows where 192.0.2.2 is.
inline void make_echo_tap() {
  for (const std::string& words :
       {std::string("tuntap add dev vifecho mode tap"), std::string("address add 192.0.2.1/24 dev vifecho"),
        std::string("link set vifecho up"),
        "neighbour add 192.0.2.2 lladdr " + test::kOurMac.to_string() + " dev vifecho"}) {
    if (std::system(("ip " + words).c_str()) != 0) skip("it needs a TAP of its own: ip " + words);
  }
}

// Swaps who sent the echo request and who got it, as its own answer.
inline void turn_around(std::byte* frame) {
  std::byte* const ip = frame + 14;
  std::swap_ranges(frame, frame + 6, frame + 6);
  std::swap_ranges(ip + 12, ip + 16, ip + 16);
  std::byte* const icmp = ip + 20;
  icmp[0] = std::byte{0};
  store_be16(icmp + 2, net::checksum_after(load_be16(icmp + 2), 0x0800, 0));
}

inline void answer_bare(std::atomic<bool>& ready, const std::atomic<bool>& over) {
  pin(kEchoProcessor);
  const host::UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ifreq request{};
  std::string(kEchoTap).copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  must(::ioctl(fd.get(), TUNSETIFF, &request) == 0, "TUNSETIFF");
  ready = true;
  alignas(64) std::array<std::byte, kSlotBytes> frame;
  while (!over) {
    pollfd wait{fd.get(), POLLIN, 0};
    ::poll(&wait, 1, kLookMs);
    for (ssize_t bytes = 0; (bytes = ::read(fd.get(), frame.data(), frame.size())) > 0;) {
      const bool echo =
          bytes >= 42 && load_be16(&frame[12]) == 0x0800 && frame[23] == std::byte{1} && frame[34] == std::byte{8};
      if (!echo) continue;
      turn_around(frame.data());
      must(::write(fd.get(), frame.data(), static_cast<std::size_t>(bytes)) == bytes, "write");
    }
  }
}

// In the library's own loop, or in a bare poll loop around it.
inline void answer_with_stack(std::atomic<bool>& ready, const std::atomic<bool>& over, bool own_loop) {
  pin(kEchoProcessor);
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  const auto loop = *host::Loop::create(clock, random, {});
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(*loop);
  net::Ifnet& ifp = **interfaces.create("virt");
  must(ifp.ioctl(net::SetLladdr{test::kOurMac}));
  must(ifp.ioctl(net::SetLinkstr{std::string("tap:") + kEchoTap}));
  net::inet::Inet inet(loop->domain(), {.ip6 = false});
  must(inet.attach(ifp));
  must(inet.add_address(ifp, *net::inet::IpPrefix::parse("192.0.2.2/24"), net::inet::Claim::at_once));
  while (loop->poll(64) || ifp.link_state() != net::LinkState::up) continue;
  ready = true;
  if (own_loop) {
    host::Runner runner(*loop);
    Callout look(loop->domain().callouts(), [&] {
      if (over) runner.stop();
      else look.schedule(loop->domain().now() + std::chrono::milliseconds(kLookMs));
    });
    look.schedule(loop->domain().now());
    must(runner.run());
  }
  while (!over) {
    pollfd wait{loop->fd(), POLLIN, 0};
    ::poll(&wait, 1, kLookMs);
    while (loop->poll(64)) continue;
  }
}

// Round trips in ns, while `answer` runs on its thread. Each begins when the one before is over, or so much later that
// the other side sleeps.
using Answer = std::function<void(std::atomic<bool>& ready, const std::atomic<bool>& over)>;
inline std::vector<double> round_trips(const Answer& answer, double pause_ns) {
  constexpr int kPings = 3000, kFirst = 200;  // those come while caches warm up
  constexpr double kPatienceNs = 1e9;
  std::atomic<bool> ready{false}, over{false};
  std::thread answering([&] { answer(ready, over); });
  const host::UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP));
  if (!fd) skip("a raw socket needs CAP_NET_RAW");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = ::htonl(0xc0000202);
  while (!ready) std::this_thread::yield();
  std::vector<double> took;
  std::array<std::byte, 8 + 56> request{};
  request[0] = std::byte{8};
  int lost = 0;
  for (int i = 0; i < kPings && lost < kFirst; ++i) {
    store_be16(&request[6], static_cast<std::uint16_t>(i));
    store_be16(&request[2], 0);
    store_be16(&request[2], net::checksum_of(request));
    const double begun = now_ns();
    ::sendto(fd.get(), request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    bool answered = false;
    while (!answered && now_ns() < begun + kPatienceNs) {
      std::array<std::byte, 256> reply;
      const ssize_t bytes = ::recv(fd.get(), reply.data(), reply.size(), 0);
      answered = bytes == 20 + static_cast<ssize_t>(request.size()) && reply[20] == std::byte{0} &&
                 load_be16(&reply[26]) == static_cast<std::uint16_t>(i);
    }
    const double ended = now_ns();
    if (!answered) ++lost;
    else if (i >= kFirst) took.push_back(ended - begun);
    while (now_ns() < ended + pause_ns) continue;
  }
  over = true;
  answering.join();
  if (took.size() < kPings / 2) give_up("most pings were not answered");
  return took;
}

}  // namespace vif::bench
