// SPDX-License-Identifier: BSD-2-Clause
// Socket options: most are an int, and rows of a table; what no row has is ENOPROTOOPT.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "hypercall/packetdrill/calls.hpp"

namespace vif::host::packetdrill {
namespace {

constexpr std::uint32_t kMsPerSecond = 1000;
constexpr std::int64_t kUsPerSecond = 1'000'000;

// An option whose value is an int; null where it cannot be set, or asked for. A negative answer is an errno.
struct IntOption {
  int level, name;
  Answer (*get)(Socket&);
  Answer (*set)(Socket&, int);
};

template <auto kMember>
Answer get_tcp(Socket& socket) {
  return static_cast<Answer>(socket.settings.tcp.*kMember);
}
template <auto kMember>
Answer set_flag(Socket& socket, int value) {
  socket.settings.tcp.*kMember = value != 0;
  return 0;
}
template <auto kMember, int kMost>
Answer set_octet(Socket& socket, int value) {
  if (value < 0 || value > kMost) return -EINVAL;
  socket.settings.tcp.*kMember = static_cast<std::uint8_t>(value);
  return 0;
}
template <auto kMember>
Answer get_seconds(Socket& socket) {
  return socket.settings.tcp.*kMember / kMsPerSecond;
}
template <auto kMember>
Answer set_seconds(Socket& socket, int value) {
  constexpr int kSecondsMax = 32'767;  // as Linux's MAX_TCP_KEEPIDLE
  if (value < 1 || value > kSecondsMax) return -EINVAL;
  socket.settings.tcp.*kMember = static_cast<std::uint32_t>(value) * kMsPerSecond;
  return 0;
}
Answer set_probes(Socket& socket, int value) {
  constexpr int kProbesMax = 127;  // as Linux's MAX_TCP_KEEPCNT
  if (value < 1 || value > kProbesMax) return -EINVAL;
  socket.settings.tcp.keep_probes = static_cast<std::uint32_t>(value);
  return 0;
}
// A hop limit of -1 is the default again; 0 would not leave.
template <bool kZero>
Answer set_hops(Socket& socket, int value) {
  if (value == -1) value = net::lwip::TcpOptions{}.ttl;
  if (value < (kZero ? 0 : 1) || value > 255) return -EINVAL;
  socket.settings.tcp.ttl = static_cast<std::uint8_t>(value);
  return 0;
}

using T = net::lwip::TcpOptions;
constexpr std::array kIntOptions = {
    IntOption{SOL_SOCKET, SO_ERROR, [](Socket& s) -> Answer { return s.take_error(); }, nullptr},
    IntOption{SOL_SOCKET, SO_TYPE, [](Socket& s) -> Answer { return s.type(); }, nullptr},
    IntOption{SOL_SOCKET, SO_DOMAIN, [](Socket& s) -> Answer { return s.family; }, nullptr},
    IntOption{SOL_SOCKET, SO_PROTOCOL,
              [](Socket& s) -> Answer { return s.type() == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP; }, nullptr},
    IntOption{SOL_SOCKET, SO_ACCEPTCONN, [](Socket& s) -> Answer { return s.listening(); }, nullptr},
    IntOption{SOL_SOCKET, SO_REUSEADDR, [](Socket& s) -> Answer { return s.settings.reuse_address; },
              [](Socket& s, int value) -> Answer {
                s.settings.reuse_address = value != 0;
                return 0;
              }},
    IntOption{SOL_SOCKET, SO_KEEPALIVE, get_tcp<&T::keep_alive>, set_flag<&T::keep_alive>},
    IntOption{IPPROTO_TCP, TCP_NODELAY, get_tcp<&T::no_delay>, set_flag<&T::no_delay>},
    IntOption{IPPROTO_TCP, TCP_KEEPIDLE, get_seconds<&T::keep_idle_ms>, set_seconds<&T::keep_idle_ms>},
    IntOption{IPPROTO_TCP, TCP_KEEPINTVL, get_seconds<&T::keep_interval_ms>, set_seconds<&T::keep_interval_ms>},
    IntOption{IPPROTO_TCP, TCP_KEEPCNT, get_tcp<&T::keep_probes>, set_probes},
    IntOption{IPPROTO_TCP, TCP_MAXSEG, [](Socket& s) -> Answer { return s.info().mss; }, nullptr},
    IntOption{IPPROTO_IP, IP_TTL, get_tcp<&T::ttl>, set_hops<false>},
    IntOption{IPPROTO_IP, IP_TOS, get_tcp<&T::tos>, set_octet<&T::tos, 255>},
    IntOption{IPPROTO_IPV6, IPV6_UNICAST_HOPS, get_tcp<&T::ttl>, set_hops<true>},
    IntOption{IPPROTO_IPV6, IPV6_TCLASS, get_tcp<&T::tos>, set_octet<&T::tos, 255>},
};

const IntOption* find(const Socket& socket, int level, int name) {
  const auto at = std::find_if(kIntOptions.begin(), kIntOptions.end(),
                               [&](const IntOption& o) { return o.level == level && o.name == name; });
  const bool is_tcps = level != SOL_SOCKET || name == SO_KEEPALIVE;
  if (at == kIntOptions.end() || (is_tcps && socket.type() != SOCK_STREAM)) return nullptr;
  return &*at;
}

Answer put(const void* value, std::size_t size, void* into, socklen_t* bytes) {
  *bytes = std::min(*bytes, static_cast<socklen_t>(size));
  std::memcpy(into, value, *bytes);
  return 0;
}

// RFC 9293's states as Linux numbers them (tcp_states.h; its LAST_ACK and LISTEN come before its CLOSING).
std::uint8_t linux_state(net::lwip::TcpState state) {
  constexpr std::array<std::uint8_t, 11> kNumbers = {TCP_CLOSE,       TCP_LISTEN,    TCP_SYN_SENT,  TCP_SYN_RECV,
                                                     TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
                                                     TCP_CLOSING,     TCP_LAST_ACK,  TCP_TIME_WAIT};
  return kNumbers.at(static_cast<std::size_t>(state));
}

// What lwIP knows of it; windows in segments, times in microseconds, as Linux has them. The rest is 0.
tcp_info info_of(const Socket& socket) {
  constexpr std::uint32_t kUsPerMs = 1000;
  const net::lwip::TcpInfo from = socket.info();
  const std::uint32_t segment = std::max(from.mss, 1U);
  tcp_info info{};
  info.tcpi_state = linux_state(from.state);
  info.tcpi_retransmits = static_cast<std::uint8_t>(std::min(from.retransmits, 255U));
  info.tcpi_rto = from.rto_ms * kUsPerMs;
  info.tcpi_rtt = from.rtt_ms * kUsPerMs;
  info.tcpi_snd_mss = from.mss;
  info.tcpi_advmss = from.mss;
  info.tcpi_unacked = (from.unacked + segment - 1) / segment;
  info.tcpi_snd_cwnd = from.cwnd / segment;
  info.tcpi_snd_ssthresh = from.ssthresh / segment;
  return info;
}

timeval to_timeval(const std::optional<Time>& timeout) {
  const std::int64_t us = timeout ? std::chrono::duration_cast<std::chrono::microseconds>(*timeout).count() : 0;
  return {us / kUsPerSecond, us % kUsPerSecond};
}

Answer set_timeout(std::optional<Time>& timeout, const void* value, socklen_t bytes) {
  timeval given;
  if (bytes < sizeof given) return -EINVAL;
  std::memcpy(&given, value, sizeof given);
  if (given.tv_usec < 0 || given.tv_usec >= kUsPerSecond) return -EDOM;
  constexpr std::int64_t kSecondsMax = INT32_MAX;  // more is as good as for ever
  timeout.reset();
  const bool is_none = (given.tv_sec == 0 && given.tv_usec == 0) || given.tv_sec > kSecondsMax;
  if (!is_none)
    timeout = std::chrono::seconds(std::max<std::int64_t>(given.tv_sec, 0)) + std::chrono::microseconds(given.tv_usec);
  return 0;
}

Answer set_linger(Socket& socket, const void* value, socklen_t bytes) {
  linger given;
  if (bytes < sizeof given) return -EINVAL;
  std::memcpy(&given, value, sizeof given);
  // close() never waits here.
  if (given.l_onoff != 0 && given.l_linger != 0) return -EOPNOTSUPP;
  socket.settings.reset_on_close = given.l_onoff != 0;
  return 0;
}

}  // namespace

Answer Calls::getsockopt(int fd, int level, int name, void* value, socklen_t* bytes) {
  return once(fd, [&](Socket& socket) -> Answer {
    if (value == nullptr || bytes == nullptr) return -EFAULT;
    if (static_cast<int>(*bytes) < 0) return -EINVAL;
    const SocketSettings& settings = socket.settings;
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
      const timeval timeout = to_timeval(name == SO_RCVTIMEO ? settings.receive_timeout : settings.send_timeout);
      return put(&timeout, sizeof timeout, value, bytes);
    }
    if (level == SOL_SOCKET && name == SO_LINGER) {
      const linger lingers{settings.reset_on_close, 0};
      return put(&lingers, sizeof lingers, value, bytes);
    }
    if (level == IPPROTO_TCP && name == TCP_INFO && socket.type() == SOCK_STREAM) {
      const tcp_info info = info_of(socket);
      return put(&info, sizeof info, value, bytes);
    }
    const IntOption* const option = find(socket, level, name);
    if (option == nullptr || option->get == nullptr) return -ENOPROTOOPT;
    const int number = static_cast<int>(option->get(socket));
    return put(&number, sizeof number, value, bytes);
  });
}

Answer Calls::setsockopt(int fd, int level, int name, const void* value, socklen_t bytes) {
  return once(fd, [&](Socket& socket) -> Answer {
    if (value == nullptr) return -EFAULT;
    SocketSettings& settings = socket.settings;
    if (level == SOL_SOCKET && name == SO_RCVTIMEO) return set_timeout(settings.receive_timeout, value, bytes);
    if (level == SOL_SOCKET && name == SO_SNDTIMEO) return set_timeout(settings.send_timeout, value, bytes);
    if (level == SOL_SOCKET && name == SO_LINGER) return set_linger(socket, value, bytes);
    const IntOption* const option = find(socket, level, name);
    if (option == nullptr || option->set == nullptr) return -ENOPROTOOPT;
    int number = 0;
    if (bytes < sizeof number) return -EINVAL;
    std::memcpy(&number, value, sizeof number);
    const Answer set = option->set(socket, number);
    if (set == 0) socket.apply();
    return set;
  });
}

}  // namespace vif::host::packetdrill
