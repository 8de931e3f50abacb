// SPDX-License-Identifier: BSD-2-Clause
// The ends of a tunnel as its tests play them: a link of ours with its driver's ears, or a plain UDP socket that says
// and sees what it likes. One thread.
#pragma once

#include <poll.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/vxlan/udp_address.hpp"
#include "hypercall/vxlan/vxlan_link.hpp"
#include "tests/conformance/recording_sink.hpp"
#include "tests/support/some_owner.hpp"

namespace vif::test {

using Frames = std::vector<Frame>;

// What a datagram of network 7 looks like (RFC 7348, 5).
inline Frame in_vxlan(const Frame& frame) { return hex("08000000 00000700") + frame; }

inline Frame be16(std::size_t value) {
  Frame bytes(2);
  store_be16(bytes.data(), static_cast<std::uint16_t>(value));
  return bytes;
}

struct OurEnd {
  ~OurEnd() {
    if (running) link.stop();
  }
  Result<drv::OpenLink> try_open(const std::string& linkstr) {
    return host::open_vxlan_link(*drv::Linkstr::parse(linkstr), owner, watch, clock);
  }
  void start(const std::string& linkstr) {
    Result<drv::OpenLink> opened = try_open(linkstr);
    ASSERT_TRUE(opened) << opened.error().text;
    link.link = std::move(*opened);
    running = link.start();
  }
  void stop() {
    link.stop();
    running = false;
  }
  // One round of its loop. True: it was woken, by the wire or by itself.
  bool round() {
    watch.collect();
    owner.host.settle();
    if (std::exchange(readies_seen_, sink.readies) == sink.readies) return false;
    link.drain_all();
    return true;
  }
  // Rounds until `enough`, waiting for the wire in between; fails the test when nothing comes.
  template <class Enough>
  void wait_until(Enough enough) {
    while (!enough()) {
      pollfd waited{watch.fd(), POLLIN, 0};
      if (!round() && ::poll(&waited, 1, 5000) == 0) FAIL() << "nothing came in five seconds";
    }
  }
  void pass_time(Time time) {
    owner.host.run_until(owner.host.clock.now() + time);
    link.drain_all();
  }
  std::uint32_t mtu() const { return (sink.caps.empty() ? link.link.caps : sink.caps.back()).mtu_bytes; }
  WireFrames take() { return std::exchange(sink.frames, {}); }

  SomeOwner owner;
  host::LinuxClock clock;
  host::FdWatch watch = std::move(*host::FdWatch::create());
  RecordedLink link;
  RecordingSink& sink = link.sink;
  bool running = false;

 private:
  std::size_t readies_seen_ = 0;
};

class PlainEnd {
 public:
  explicit PlainEnd(const std::string& at)
      : address_(*host::UdpAddress::parse(at, 4789)),
        socket_(::socket(address_.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(socket_.get(), address_.get(), address_.bytes()), 0) << at << ": " << std::strerror(errno);
    const int bytes = 4 << 20;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

  void send(const std::string& to, const Frame& datagram) {
    const host::UdpAddress there = *host::UdpAddress::parse(to, 4789);
    EXPECT_EQ(::sendto(socket_.get(), datagram.data(), datagram.size(), 0, there.get(), there.bytes()),
              static_cast<ssize_t>(datagram.size()))
        << std::strerror(errno);
  }
  // What has arrived.
  Frames receive() {
    Frames all;
    Frame buffer(65'536);
    for (;;) {
      const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0) {
        pollfd waited{socket_.get(), POLLIN, 0};  // a busy host may still be carrying it
        if (::poll(&waited, 1, 20) != 1) return all;
        continue;
      }
      all.emplace_back(buffer.begin(), buffer.begin() + n);
    }
  }
  int fd() const { return socket_.get(); }

 private:
  host::UdpAddress address_;
  host::UniqueFd socket_;
};

}  // namespace vif::test
