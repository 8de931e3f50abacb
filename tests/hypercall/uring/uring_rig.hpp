// SPDX-License-Identifier: BSD-2-Clause
// A link of scheme uring on one end of a real veth pair, in a namespace of the test's own. One thread.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>

#include "hypercall/uring/uring_link.hpp"
#include "tests/support/host_faults.hpp"
#include "tests/support/packet_socket.hpp"
#include "tests/support/some_owner.hpp"
#include "tests/support/veth_pair.hpp"

namespace vif::test {

class UringRig : public testing::Test {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    make_veth_pair();
    peer.emplace("vifb");
    auto made = host::FdWatch::create();
    ASSERT_TRUE(made);
    watch.emplace(std::move(*made));
  }
  void TearDown() override {
    if (link.link.port) link.stop();
    link.link.port.reset();
  }

  virtual Result<drv::OpenLink> try_open(const std::string& linkstr) {
    return host::open_uring_link(*drv::Linkstr::parse(linkstr), owner, *watch);
  }
  void open(const std::string& linkstr) {
    Result<drv::OpenLink> opened = try_open(linkstr);
    ASSERT_TRUE(opened) << opened.error().text;
    link.link = std::move(*opened);
  }
  void start(const std::string& linkstr) {
    open(linkstr);
    if (!HasFatalFailure() && link.start()) link.drain_all();
  }

  // The peer sends it.
  void arrive(const WireFrame& frame) { EXPECT_TRUE(peer->send(frame)) << std::strerror(errno); }
  void arrive(const Frame& frame) { arrive(WireFrame{frame}); }

  // Drains whenever the link is ready, until `done`; false: it did not come to that in time.
  bool drain_until(const std::function<bool()>& done) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (std::size_t seen = 0; !done();) {
      if (std::chrono::steady_clock::now() > patience) return false;
      pollfd waited{watch->fd(), POLLIN, 0};
      ::poll(&waited, 1, 20);
      watch->collect();
      owner.host.run_until(owner.host.clock.now() + std::chrono::milliseconds(1));
      if (link.sink.readies != std::exchange(seen, link.sink.readies)) link.drain_all();
    }
    return true;
  }
  bool drain_until_frames(std::size_t count) {
    return drain_until([&] { return link.sink.frames.size() >= count; });
  }

  // Sends all of `frames`, in bursts, waiting for room when there is none. False: it did not come to that in time.
  bool send_all(const WireFrames& frames, std::size_t burst = 32) {
    WireFrames left = frames;
    while (!left.empty()) {
      const WireFrames next(left.begin(), left.begin() + static_cast<long>(std::min(burst, left.size())));
      const drv::SendResult result = link.send(next);
      left.erase(left.begin(), left.begin() + static_cast<long>(result.taken));
      if (result.status == drv::SendStatus::ok) continue;
      EXPECT_EQ(result.status, drv::SendStatus::would_block);
      ++waits;
      const std::size_t readies = sink.readies;
      if (!drain_until([&] { return sink.readies != readies; })) return false;
    }
    return true;
  }

  NetNamespace network;
  SomeOwner owner;
  std::optional<PacketSocket> peer;
  std::optional<host::FdWatch> watch;
  RecordedLink link;
  RecordingSink& sink = link.sink;
  std::size_t waits = 0;  // of send_all, for room
};

}  // namespace vif::test
