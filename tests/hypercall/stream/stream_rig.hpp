// SPDX-License-Identifier: BSD-2-Clause
// A stream: link under test, and its peer as a plain socket that the test writes to and reads from byte by byte. One
// thread; a peer that waits gives up after some seconds. Time, for the callouts, is the simulated host's.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <optional>
#include <string>

#include "hypercall/linux_ports.hpp"
#include "hypercall/stream/stream_link.hpp"
#include "tests/conformance/recording_sink.hpp"
#include "tests/hypercall/host_limits.hpp"
#include "tests/support/some_owner.hpp"

namespace vif::test {

// A frame as it lies in a stream with lengths of four bytes.
inline Frame framed(const Frame& frame) {
  Frame length(4);
  store_be32(length.data(), static_cast<std::uint32_t>(frame.size()));
  return length + frame;
}

// The other end, at somebody's mercy.
class RawPeer {
 public:
  explicit RawPeer(host::UniqueFd fd) : fd_(std::move(fd)) { give_up_after_seconds(); }
  static RawPeer connect(const std::string& path, int type = SOCK_STREAM) {
    RawPeer peer{host::UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0))};
    const sockaddr_un address = at(path);
    EXPECT_EQ(::connect(peer.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << path << ": " << std::strerror(errno);
    return peer;
  }
  static RawPeer bound(const std::string& path, int type) {
    RawPeer peer{host::UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0))};
    const sockaddr_un address = at(path);
    EXPECT_EQ(::bind(peer.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << path << ": " << std::strerror(errno);
    return peer;
  }
  static RawPeer listen(const std::string& path, int type = SOCK_STREAM) {
    RawPeer listener = bound(path, type);
    EXPECT_EQ(::listen(listener.fd(), 4), 0);
    return listener;
  }
  RawPeer accept() const { return RawPeer{host::UniqueFd(::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC))}; }

  int fd() const { return fd_.get(); }
  // The socket under another number, which is the caller's.
  int release() {
    const int released = ::fcntl(fd(), F_DUPFD_CLOEXEC, 0);
    hang_up();
    return released;
  }
  void hang_up() { fd_ = host::UniqueFd(); }

  void write(const Frame& bytes) const {
    EXPECT_EQ(::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()))
        << std::strerror(errno);
  }
  // Exactly `count` bytes, or what there was before the end.
  Frame read(std::size_t count) const {
    Frame bytes(count);
    std::size_t have = 0;
    for (ssize_t n = 1; n > 0 && have < count; have += static_cast<std::size_t>(std::max<ssize_t>(n, 0))) {
      n = ::recv(fd(), bytes.data() + have, count - have, 0);
    }
    bytes.resize(have);
    return bytes;
  }
  // What one recv(2) finds: a packet, or bytes.
  Frame read_now(std::size_t count = 100'000) const {
    Frame bytes(count);
    bytes.resize(
        static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT))));
    return bytes;
  }
  bool at_end() const {
    std::byte byte;
    return ::recv(fd(), &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  static sockaddr_un at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
  }
  void give_up_after_seconds() const {
    const timeval wait{5, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  }

  host::UniqueFd fd_;
};

struct PeerPair {
  RawPeer ours, theirs;
  static PeerPair make(int type = SOCK_STREAM, int send_bytes = 0) {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    if (send_bytes > 0) ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    return {RawPeer{host::UniqueFd(fds[0])}, RawPeer{host::UniqueFd(fds[1])}};
  }
};

class StreamRig : public testing::Test {
 protected:
  ~StreamRig() override { close(); }

  Result<drv::OpenLink> try_open(const std::string& linkstr) {
    Result<drv::Linkstr> parsed = drv::Linkstr::parse(linkstr);
    if (!parsed) return std::move(parsed).error();
    return host::open_stream_link(*parsed, owner, watch, clock);
  }
  void open(const std::string& linkstr) {
    auto opened = try_open(linkstr);
    ASSERT_TRUE(opened) << opened.error().text;
    link.link = std::move(*opened);
    ASSERT_TRUE(link.start());
    link.drain_all();
  }
  // Our end of a pair of sockets, as fd=N; the link has it from then on.
  void adopt(PeerPair& pair, const std::string& options = "") {
    open("stream:fd=" + std::to_string(pair.ours.release()) + options);
  }
  void close() {
    if (link.link.port) link.stop();
    link.link.port.reset();
  }
  // What a loop would do now: drain when the link has called for it, for a descriptor or a callout. True: it had.
  bool turn() {
    watch.collect();
    owner.host.settle();
    if (std::exchange(readies_seen_, sink.readies.load()) == sink.readies) return false;
    link.drain_all();
    return true;
  }
  void pass(Time time) { owner.host.run_until(owner.host.clock.now() + time); }
  bool carrier() const { return !sink.states.empty() && sink.states.back() == net::LinkState::up; }
  std::string why() const { return sink.why ? sink.why->text : ""; }

  SomeOwner owner;
  host::LinuxClock clock;
  host::FdWatch watch = std::move(*host::FdWatch::create());
  TempFolder folder;
  RecordedLink link;
  RecordingSink& sink = link.sink;

 private:
  std::size_t readies_seen_ = 0;
};

}  // namespace vif::test
