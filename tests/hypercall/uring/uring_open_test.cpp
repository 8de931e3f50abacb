// SPDX-License-Identifier: BSD-2-Clause
// Opening a link, and the host saying no: without the right, without a feature, without a descriptor left.
#include <sys/resource.h>

#include <filesystem>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/uring/uring_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class UringOpen : public UringRig {};

TEST_F(UringOpen, names_the_capability_and_the_way_without_it) {
  HostFaults host;
  host.fail("socket", EPERM, 1, 1);  // the first is rtnetlink's
  const auto refused = try_open("uring:vifa");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), EPERM);
  EXPECT_NE(refused.error().text.find("CAP_NET_RAW"), std::string::npos) << refused.error().text;
  EXPECT_NE(refused.error().text.find("unshare -Ur -n"), std::string::npos) << refused.error().text;
}

TEST_F(UringOpen, refuses_what_is_no_wire) {
  const auto none = try_open("uring:vifnone");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().number(), ENODEV);
  EXPECT_NE(none.error().text.find("vifnone"), std::string::npos);
  const auto loopback = try_open("uring:lo");
  ASSERT_FALSE(loopback);
  EXPECT_EQ(loopback.error().number(), ENOTSUP);
  EXPECT_NE(loopback.error().text.find("veth"), std::string::npos) << loopback.error().text;
  network.ip("tuntap add dev viftun mode tun");
  const auto tun = try_open("uring:viftun");
  ASSERT_FALSE(tun);
  EXPECT_EQ(tun.error().number(), ENOTSUP);
  EXPECT_NE(tun.error().text.find("no Ethernet"), std::string::npos) << tun.error().text;
}

// Whichever call fails, at whichever of its times: an error that says why, or a link that works without; and nothing
// left open.
TEST_F(UringOpen, opens_or_says_why_whatever_fails) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = descriptors();
  int opened_without = 0, refused = 0;
  for (const char* call : {"socket", "setsockopt", "getsockopt", "bind", "mmap", "io_uring_queue_init_params",
                           "io_uring_register_files", "send"}) {
    for (int after = 0; after < 12; ++after) {
      Result<drv::OpenLink> opened = [&] {
        HostFaults host;
        host.fail(call, EIO, 1, after);
        return try_open("uring:vifa,qdisc=bypass");
      }();
      if (!opened) {
        ++refused;
        EXPECT_EQ(opened.error().number(), EIO) << call;
        EXPECT_NE(opened.error().text.find("cannot"), std::string::npos) << opened.error().text;
        continue;
      }
      ++opened_without;
      link.link = std::move(*opened);
      ASSERT_TRUE(link.start());
      link.drain_all();
      arrive(ether(kOurMac, 0x88b5, counting(46)));
      ASSERT_TRUE(drain_until_frames(1)) << call << " " << after << ": " << link.link.chosen;
      EXPECT_EQ(link.send(WireFrames(8, {ether(kPeerMac, 0x88b5, counting(46))})).taken, 8U);
      TearDown();
      sink.frames.clear();
    }
  }
  EXPECT_GT(refused, 5);
  EXPECT_GT(opened_without, 5);
  EXPECT_EQ(descriptors(), before);
}

TEST_F(UringOpen, starts_or_says_why_whatever_fails) {
  open("uring:vifa");
  for (const char* call : {"epoll_ctl", "bind", "socket", "setsockopt"}) {
    for (int after = 0; after < 12; ++after) {
      ASSERT_TRUE(link.start());
      link.stop();
      const Status started = [&] {
        HostFaults host;
        host.fail(call, ENOMEM, 1, after);
        return link.link.port->start(sink);
      }();
      if (!started) {
        EXPECT_EQ(started.error().number(), ENOMEM) << call;
        ASSERT_TRUE(link.start()) << "the next time";
      }
      link.stop();
    }
  }
}

TEST_F(UringOpen, does_without_descriptors_until_there_are_some_again) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  for (rlim_t more = 0; more < 8; ++more) {
    const int lowest = ::dup(0);
    ::close(lowest);
    rlimit few{static_cast<rlim_t>(lowest) + more, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    Result<drv::OpenLink> opened = try_open("uring:vifa");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    if (opened) {
      EXPECT_GE(more, 4U) << "rtnetlink, two senders, a receiver";
    } else {
      EXPECT_EQ(opened.error().number(), EMFILE) << opened.error().text;
    }
  }
  EXPECT_TRUE(try_open("uring:vifa"));
}

TEST_F(UringOpen, says_no_where_the_kernel_cannot_leave_out_what_goes_out) {
  HostFaults host;
  const auto count = [&] { return host.calls("setsockopt"); };
  ASSERT_TRUE(try_open("uring:vifa"));
  const int all = count();
  bool seen = false;
  for (int after = 0; after < all; ++after) {
    host.fail("setsockopt", ENOPROTOOPT, HostFaults::kAlways, after);
    const auto opened = try_open("uring:vifa");
    seen = seen || (!opened && opened.error().text.find("leave out the frames that go out") != std::string::npos);
  }
  EXPECT_TRUE(seen);
}

// --- as a program uses it ---

TEST_F(UringOpen, serves_an_interface_in_a_loop) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  auto loop = host::Loop::create(clock, random, {.pool = kSmallPool});
  ASSERT_TRUE(loop);
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(**loop);
  auto virt0 = interfaces.create("virt0");
  ASSERT_TRUE(virt0);
  net::Ifnet& ifp = **virt0;
  ASSERT_TRUE(ifp.ioctl(net::SetLinkstr{"uring:vifa"}));
  EXPECT_EQ(ifp.lladdr(), kVethMac);
  ASSERT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
  for (int i = 0; i < 20; ++i) arrive(ether(kVethMac, 0x88b5, counting(46)));
  for (int rounds = 0; ifp.counters.read().ipackets < 20 && rounds < 1000; ++rounds) {
    pollfd waited{(*loop)->fd(), POLLIN, 0};
    ::poll(&waited, 1, 10);
    (*loop)->poll(64);
  }
  EXPECT_EQ(ifp.counters.read().ipackets, 20U);
}

}  // namespace
