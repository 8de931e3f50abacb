// SPDX-License-Identifier: BSD-2-Clause
// Every call to the host made to fail, once and for ever: nothing spins, nothing is lost uncounted, and it goes on when
// the host does.
#include "tests/hypercall/host_limits.hpp"
#include "tests/hypercall/tap/tap_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class TapFaults : public TapRig {
 protected:
  // Opens while `call` fails after `after` times.
  Error refused(const std::string& call, int number, int after = 0) {
    HostFaults host;
    host.fail(call, number, HostFaults::kAlways, after);
    auto opened = try_open("tap:viftap");
    if (opened) return ADD_FAILURE() << call << " " << after << ": opened", fail(0, "");
    EXPECT_EQ(opened.error().number(), number) << opened.error().text;
    return opened.error();
  }
  static bool says(const Error& error, const std::string& words) { return error.text.find(words) != std::string::npos; }
  static bool chose(const drv::OpenLink& link, const std::string& words) {
    return link.chosen.find(words) != std::string::npos;
  }

  // Offers frames as the driver does, and takes stock: sent, lost or left.
  struct Stock {
    std::size_t taken = 0, arrived = 0;
    drv::SendStatus status = drv::SendStatus::ok;
    std::uint64_t lost = 0;
  };
  Stock offer(std::size_t count) {
    Stock stock;
    const std::uint64_t before = lost(DropReason::tx_error);
    const drv::SendResult result = tap.send(many_to_us(count));
    stock.taken = result.taken;
    stock.status = result.status;
    tap.drain_all();
    stock.arrived = far->receive_all().size();
    stock.lost = lost(DropReason::tx_error) - before;
    EXPECT_EQ(stock.taken, stock.arrived + stock.lost) << "taken is sent or lost";
    return stock;
  }
};

constexpr int kErrors[] = {ENOBUFS, EAGAIN, EINTR, EIO, EINVAL, ENOMEM, EBADFD};

// --- open ---

TEST_F(TapFaults, no_device_says_how_to_get_one) {
  EXPECT_TRUE(says(refused("open", ENOENT), "modprobe tun"));
  EXPECT_TRUE(says(refused("open", ENODEV), "modprobe tun"));
  EXPECT_TRUE(says(refused("open", EACCES), "chmod 0666"));
  EXPECT_TRUE(says(refused("open", EMFILE), "/dev/net/tun"));
}

TEST_F(TapFaults, no_permission_names_the_capability_and_the_unprivileged_way) {
  const Error error = refused("ioctl", EPERM, 1);
  EXPECT_TRUE(says(error, "CAP_NET_ADMIN")) << error.text;
  EXPECT_TRUE(says(error, "unshare -Ur -n")) << error.text;
  EXPECT_TRUE(says(error, "ip tuntap add")) << error.text;
  EXPECT_TRUE(says(refused("ioctl", EBUSY, 1), "another program"));
}

TEST_F(TapFaults, somebody_without_rights_is_told_so) {
  const NotRoot nobody;
  const auto opened = try_open("tap:viftap");
  ASSERT_FALSE(opened);
  const Error& error = opened.error();
  EXPECT_TRUE(says(error, "CAP_NET_ADMIN") || says(error, "chmod 0666")) << error.text;
}

TEST_F(TapFaults, an_attached_tap_needs_no_rights) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a TAP somebody else's";
  NetNamespace::ip("tuntap add dev viftap mode tap user 65534");
  const NotRoot nobody;
  if (::access("/dev/net/tun", R_OK | W_OK) != 0 || ::eaccess("/dev/net/tun", R_OK | W_OK) != 0) {
    GTEST_SKIP() << "only root may open /dev/net/tun here";
  }
  const auto opened = try_open("tap:viftap");
  ASSERT_TRUE(opened) << opened.error().text;
}

TEST_F(TapFaults, an_old_kernel_gets_by_with_less) {
  {
    HostFaults host;  // TUNGETFEATURES and what follows from it
    host.fail("ioctl", EINVAL, 1);
    const auto opened = try_open("tap:viftap");
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE(chose(*opened, "no offload")) << opened->chosen;
  }
  {
    HostFaults host;  // everything after TUNGETIFF and TUNSETVNETHDRSZ
    host.fail("ioctl", EINVAL, 6, 4);
    const auto opened = try_open("tap:viftap");
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE(chose(*opened, "no offload")) << opened->chosen;
    EXPECT_TRUE(chose(*opened, "does not filter")) << opened->chosen;
    EXPECT_TRUE(chose(*opened, "always sees a carrier")) << opened->chosen;
  }
  {
    HostFaults host;  // USO came last
    host.fail("ioctl", EINVAL, 1, 4);
    const auto opened = try_open("tap:viftap");
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE(opened->caps.offload.tso4 && !opened->caps.offload.uso) << opened->chosen;
  }
  EXPECT_EQ(refused("ioctl", EPERM, 3).number(), EPERM) << "frames with an unknown header are no frames";
}

TEST_F(TapFaults, without_descriptors_opens_nothing_and_leaves_nothing) {
  VIF_NEEDS_DESCRIPTORS();
  for (rlim_t spare = 0; spare < 2; ++spare) {
    const FewDescriptors few(spare);
    const auto opened = try_open("tap:viftap");
    ASSERT_FALSE(opened) << spare;
    EXPECT_EQ(opened.error().number(), EMFILE) << opened.error().text;
  }
  EXPECT_TRUE(says(refused("mmap", ENOMEM), "address space"));
  open("tap:viftap");  // the name is free
}

TEST_F(TapFaults, begins_nothing_when_it_cannot_wait) {
  open("tap:viftap");
  for (int after = 0; after < 2; ++after) {
    HostFaults host;
    host.fail("epoll_ctl", ENOSPC, 1, after);
    const Status started = tap.link.port->start(tap.sink);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().number(), ENOSPC);
  }
  HostFaults host;
  host.fail("send", ENOBUFS, 1);  // to rtnetlink
  EXPECT_FALSE(tap.link.port->start(tap.sink));
  host.heal("send");
  EXPECT_TRUE(tap.start());
}

// --- io_uring ---

TEST_F(TapFaults, without_io_uring_goes_frame_by_frame_and_says_so) {
  for (const auto& [call, number] : {std::pair{"io_uring_queue_init_params", ENOSYS}, {"preadv64v2", EOPNOTSUPP}}) {
    HostFaults host;
    host.fail(call, number);
    up();
    EXPECT_TRUE(chose(tap.link, "one call a frame")) << tap.link.chosen;
    EXPECT_EQ(offer(40).arrived, 40U);
    tap.sink.frames.clear();
    from_host(many_to_us(100));
    settle();
    EXPECT_TRUE(tap.sink.frames == many_to_us(100));
    close();
  }
}

TEST_F(TapFaults, an_io_uring_that_fails_later_changes_nothing_but_the_calls) {
  for (const char* call : {"io_uring_submit_and_wait", "io_uring_register_files", "io_uring_register_buffers_sparse",
                           "io_uring_register_buffers_update_tag", "io_uring_queue_init_params"}) {
    for (const int number : {EINTR, EAGAIN, EEXIST, ENOMEM, EBUSY}) {
      for (const int times : {1, HostFaults::kAlways}) {
        up();
        HostFaults host;
        host.fail(call, number, times);
        tap.sink.frames.clear();
        for (int i = 0; i < 12; ++i) EXPECT_EQ(offer(40).arrived, 40U) << call << " " << number;
        from_host(many_to_us(100));
        settle();
        EXPECT_TRUE(tap.sink.frames == many_to_us(100)) << call << " " << number;
        // With one that another thread might own it is tried again; else it is given up.
        if (number != EEXIST) {
          EXPECT_LT(host.calls("io_uring_queue_init_params"), 12) << call << " " << number;
        }
        close();
      }
    }
  }
}

// --- sending ---

TEST_F(TapFaults, counts_what_the_host_refuses) {
  up();
  for (const int number : kErrors) {
    for (const std::size_t count : {1UL, 3UL}) {  // these go by writev
      HostFaults host;
      host.fail("writev", number);
      const Stock stock = offer(count);
      EXPECT_EQ(stock.arrived, 0U);
      const bool refused = number == EAGAIN || number == EIO || number == EBADFD;
      EXPECT_EQ(stock.lost, refused ? 0U : count) << number;
      EXPECT_EQ(stock.status, number == EAGAIN ? drv::SendStatus::would_block
                              : refused        ? drv::SendStatus::network_down
                                               : drv::SendStatus::ok);
      host.heal("writev");
      EXPECT_EQ(offer(count).arrived, count) << "it goes on";
    }
  }
  HostFaults host;
  host.fail("writev", EINTR, 2);
  EXPECT_EQ(offer(1).arrived, 1U) << "an interruption is none";
}

TEST_F(TapFaults, counts_a_frame_that_went_only_in_part) {
  up();
  HostFaults host;
  host.shorten("writev", 40, 1);
  const drv::SendResult result = tap.send(many_to_us(3));
  tap.drain_all();
  EXPECT_EQ(result.taken, 3U);
  EXPECT_EQ(lost(DropReason::tx_error), 1U);
}

TEST_F(TapFaults, drops_bursts_while_the_host_is_down_and_goes_on) {
  for (const char* options : {"", ",offload=off"}) {
    up(options);
    NetNamespace::ip("link set viftap down");
    const Stock stock = offer(40);
    EXPECT_EQ(stock.taken, 0U);
    EXPECT_EQ(stock.status, drv::SendStatus::network_down);
    after("link set viftap up");
    far.emplace("viftap");
    EXPECT_EQ(offer(40).arrived, 40U);
    close();
  }
}

// A header that says nonsense is refused by the kernel, alone.
TEST_F(TapFaults, counts_a_frame_with_an_impossible_header) {
  up();
  WireFrames frames = many_to_us(10);
  frames[4].offload = {.flags = net::Offload::kNeedsChecksum, .csum_start = 5000, .csum_offset = 6};
  EXPECT_EQ(tap.send(frames).taken, 10U);
  tap.drain_all();
  EXPECT_EQ(lost(DropReason::tx_error), 1U);
  EXPECT_EQ(far->receive_all().size(), 9U);
}

// --- receiving ---

TEST_F(TapFaults, waits_a_while_when_the_host_cannot_be_read) {
  up();
  net::Domain& domain = owner.domain;
  for (const int number : kErrors) {
    if (number == EAGAIN) continue;
    tap.sink.frames.clear();
    {
      HostFaults host;
      host.fail("read", number);
      from_host({to_us()});
      settle();
      EXPECT_LE(host.calls("read"), 3) << "no spinning";
      EXPECT_FALSE(settle());
    }
    ASSERT_TRUE(domain.next_deadline()) << number;
    const std::size_t before = tap.sink.readies;
    domain.poll(*domain.next_deadline(), 1);
    EXPECT_EQ(tap.sink.readies, before + 1);
    tap.drain_all();
    EXPECT_EQ(tap.sink.frames.size(), 1U) << number;
    EXPECT_FALSE(domain.next_deadline());
  }
  EXPECT_EQ(lost(DropReason::rx_malformed), 1U) << "EINVAL: the kernel took one off its queue";
  HostFaults host;
  host.fail("read", EINTR, 2);
  from_host({to_us()});
  tap.sink.frames.clear();
  settle();
  EXPECT_EQ(tap.sink.frames.size(), 1U) << "an interruption is none";
}

TEST_F(TapFaults, counts_what_is_no_whole_frame) {
  up();
  HostFaults host;
  host.shorten("read", 7, 1);
  from_host(many_to_us(3));
  settle();
  owner.domain.poll(*owner.domain.next_deadline(), 1);
  tap.drain_all();
  EXPECT_EQ(tap.sink.frames.size(), 2U);
  EXPECT_EQ(lost(DropReason::rx_malformed), 1U);
}

TEST_F(TapFaults, does_not_wake_for_a_failure_after_stop) {
  up();
  HostFaults host;
  host.fail("read", EIO);
  from_host({to_us()});
  settle();
  ASSERT_TRUE(owner.domain.next_deadline());
  tap.stop();
  EXPECT_FALSE(owner.domain.next_deadline());
}

}  // namespace
