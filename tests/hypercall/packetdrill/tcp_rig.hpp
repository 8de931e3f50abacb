// SPDX-License-Identifier: BSD-2-Clause
// A connection of the plugin's, and its peer written by hand. One thread.
#pragma once

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "tests/hypercall/packetdrill/drill_rig.hpp"

namespace vif::test {

class DrillTcp : public Drill {
 protected:
  static constexpr auto kSyn = Segment::kSyn, kAck = Segment::kAck, kFin = Segment::kFin, kRst = Segment::kRst,
                        kPsh = Segment::kPsh;

  using Drill::Drill;

  int listen_at(std::uint16_t port, int backlog = 8) {
    const int fd = tcp();
    EXPECT_EQ(bind(fd, kStack, port), 0);
    EXPECT_EQ(t.listen(self, fd, backlog), 0);
    return fd;
  }
  // The peer's three-way handshake; from here on `seq` and `ack` are what it sends next.
  void shake_hands(std::uint16_t from = kRemotePort) {
    remote_port = from;
    seq = 1000;
    arrive(Segment{from, kStackPort, seq, 0, kSyn});
    const Segment answer = segment();
    EXPECT_EQ(answer.flags, kSyn | kAck);
    EXPECT_EQ(answer.ack, ++seq);
    ack = answer.seq + 1;
    arrive(peer(kAck));
  }
  // A connection that is accepted.
  int establish() {
    listener = listen_at(kStackPort);
    shake_hands();
    return t.accept(self, listener, nullptr, nullptr);
  }
  Segment peer(std::uint8_t flags, const Frame& data = {}) const {
    return {remote_port, kStackPort, seq, ack, flags, 60'000, data};
  }
  void say(std::string_view words) {
    arrive(peer(kAck | kPsh, text(words)));
    seq += static_cast<std::uint32_t>(words.size());
  }
  std::string read(int fd, std::size_t most = 100, int flags = 0) {
    std::string words(most, '\0');
    const ssize_t got = t.recv(self, fd, words.data(), most, flags);
    EXPECT_GE(got, 0) << "errno " << errno;
    words.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return words;
  }

  std::uint16_t remote_port = kRemotePort;
  std::uint32_t seq = 0, ack = 0;
  int listener = -1;
};

}  // namespace vif::test
