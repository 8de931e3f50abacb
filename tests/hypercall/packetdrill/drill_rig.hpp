// SPDX-License-Identifier: BSD-2-Clause
// packetdrill's part, in C++: opens the plugin as it does, has its table filled, and is the peer on the wire. lwIP is
// the process's, so each test frees its table. One thread.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>

#include "hypercall/packetdrill/table.h"
#include "tests/netstack/lwip/segment.hpp"

// AddressSanitizer refuses to be bound around.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VIF_DLOPEN_DEEP 0
#endif
#endif
#ifndef VIF_DLOPEN_DEEP
#define VIF_DLOPEN_DEEP RTLD_DEEPBIND
#endif

namespace vif::test {

inline constexpr IpAddress kStack = IpAddress::v4(192, 168, 0, 2), kRemote = IpAddress::v4(192, 0, 2, 1);
inline constexpr std::uint16_t kStackPort = 8080, kRemotePort = 54321;

// The errno of a call that has to fail, or 0.
template <class T>
int failed(T answer) {
  return answer == -1 ? errno : 0;
}

inline sockaddr_in at(const IpAddress& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(address.v4_number());
  return to;
}

class Plugin {
 public:
  explicit Plugin(const char* flags) {
    void* const file = ::dlopen(VIF_PLUGIN, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | VIF_DLOPEN_DEEP);
    EXPECT_NE(file, nullptr) << ::dlerror();
    using Init = void (*)(const char*, packetdrill_table*);
    const auto init = file == nullptr ? nullptr : reinterpret_cast<Init>(::dlsym(file, "packetdrill_interface_init"));
    EXPECT_NE(init, nullptr);
    if (init != nullptr) init(flags, &table);
  }
  ~Plugin() {
    if (table.free != nullptr) table.free(table.self);
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  packetdrill_table table{};
};

class Drill : public testing::Test {
 protected:
  explicit Drill(const char* flags = nullptr) : plugin(flags), t(plugin.table), self(t.self) {}

  long long now_us() {
    timeval now{};
    EXPECT_EQ(t.gettimeofday(self, &now, nullptr), 0);
    return now.tv_sec * 1'000'000LL + now.tv_usec;
  }
  int tcp() { return t.socket(self, AF_INET, SOCK_STREAM, IPPROTO_TCP); }
  int udp_socket() { return t.socket(self, AF_INET, SOCK_DGRAM, IPPROTO_UDP); }
  int bind(int fd, const IpAddress& address, std::uint16_t port) {
    const sockaddr_in to = at(address, port);
    return t.bind(self, fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int connect(int fd, const IpAddress& address, std::uint16_t port) {
    const sockaddr_in to = at(address, port);
    return t.connect(self, fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int get(int fd, int level, int name) {
    int value = -1;
    socklen_t bytes = sizeof value;
    EXPECT_EQ(t.getsockopt(self, fd, level, name, &value, &bytes), 0) << "errno " << errno;
    return value;
  }
  int set(int fd, int level, int name, int value) { return t.setsockopt(self, fd, level, name, &value, sizeof value); }
  short poll(int fd, short events, int timeout_ms) {
    pollfd entry{fd, events, 0};
    (void)t.poll(self, &entry, 1, timeout_ms);
    return entry.revents;
  }

  void arrive(const Frame& packet) { ASSERT_EQ(t.netdev_send(self, packet.data(), packet.size()), 0); }
  void arrive(const Segment& segment) { arrive(test::tcp(kRemote, kStack, segment)); }
  // What the stack sends next, and when.
  Frame packet() {
    Frame packet(2000);
    std::size_t bytes = packet.size();
    EXPECT_EQ(t.netdev_receive(self, packet.data(), &bytes, &sent_us), 0);
    packet.resize(bytes);
    return packet;
  }
  Segment segment() {
    const auto found = segment_of(packet());
    EXPECT_TRUE(found) << "no TCP segment";
    return found.value_or(Segment{});
  }

  Plugin plugin;
  packetdrill_table& t;
  void* const self;
  long long sent_us = 0;
};

}  // namespace vif::test
