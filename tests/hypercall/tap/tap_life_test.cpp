// SPDX-License-Identifier: BSD-2-Clause
// How a TAP comes, what the host does to it meanwhile, and how it goes.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "tests/hypercall/tap/tap_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class TapLife : public TapRig {
 protected:
  static bool exists(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }
  // Whether `ip` shows these words of it.
  static bool shows(const std::string& name, const std::string& words) {
    return std::system(("ip -d link show " + name + " | grep -qw '" + words + "'").c_str()) == 0;
  }
};

TEST_F(TapLife, makes_the_interface_and_takes_it_away) {
  open("tap:viftap");
  EXPECT_TRUE(exists("viftap"));
  EXPECT_TRUE(shows("viftap", "type tap"));
  EXPECT_EQ(tap.link.chosen.substr(0, 12), "viftap made;") << tap.link.chosen;
  EXPECT_EQ(tap.link.caps.mtu_bytes, 1500U);
  EXPECT_FALSE(tap.link.caps.lladdr) << "the host's address is the far side's";
  EXPECT_EQ(tap.link.caps.link_state, net::LinkState::down) << "nobody on the host has brought it up";
  close();
  EXPECT_FALSE(exists("viftap"));
}

TEST_F(TapLife, lets_the_kernel_choose_a_name) {
  open("tap:");
  EXPECT_TRUE(exists("tap0"));
  EXPECT_EQ(tap.link.chosen.substr(0, 5), "tap0 ") << tap.link.chosen;
  const auto second = try_open("tap:vif%d");
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_TRUE(exists("vif0"));
  EXPECT_EQ(second->chosen.substr(0, 5), "vif0 ") << second->chosen;
}

TEST_F(TapLife, says_what_this_kernel_can_do) {
  open("tap:viftap");
  for (const char* word : {"csum", "tso4", "tso6", "io_uring"}) {
    EXPECT_NE(tap.link.chosen.find(word), std::string::npos) << word << " in: " << tap.link.chosen;
  }
  EXPECT_TRUE(tap.link.caps.offload.tso4);
  EXPECT_TRUE(shows("viftap", "vnet_hdr on"));
  close();
  open("tap:viftap,offload=off");
  EXPECT_NE(tap.link.chosen.find("no offload"), std::string::npos) << tap.link.chosen;
  EXPECT_EQ(tap.link.caps.offload, net::OffloadSet{});
  EXPECT_FALSE(shows("viftap", "vnet_hdr on"));
}

TEST_F(TapLife, stays_when_it_is_to_persist) {
  open("tap:viftap,persist");
  close();
  ASSERT_TRUE(exists("viftap"));
  open("tap:viftap");
  EXPECT_EQ(tap.link.chosen.substr(0, 16), "viftap attached;") << tap.link.chosen;
  close();
  EXPECT_TRUE(exists("viftap")) << "attaching changes nothing of that";
}

// The next user of a TAP that outlives us knows nothing of headers, offloads or filters.
TEST_F(TapLife, gives_an_attached_one_back_as_it_was) {
  NetNamespace::ip("tuntap add dev viftap mode tap");
  up();
  close();
  const host::UniqueFd next(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ifreq request{};
  std::string("viftap").copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  ASSERT_EQ(::ioctl(next.get(), TUNSETIFF, &request), 0) << std::strerror(errno);
  const WireFrame frame = to_us(600, {{0x02, 9, 9, 9, 9, 9}});
  from_host({frame});
  std::array<std::byte, 2000> buffer;
  ASSERT_EQ(::read(next.get(), buffer.data(), buffer.size()), 600);
  EXPECT_TRUE(std::equal(frame.bytes.begin(), frame.bytes.end(), buffer.begin()));
}

// libvirt and others make them so.
TEST_F(TapLife, attaches_to_one_made_for_several_queues) {
  NetNamespace::ip("tuntap add dev viftap mode tap multi_queue");
  up();
  from_host({to_us()});
  EXPECT_TRUE(settle());
  EXPECT_EQ(tap.sink.frames.size(), 1U);
}

TEST_F(TapLife, says_why_it_cannot_have_the_name) {
  open("tap:viftap");
  const auto busy = try_open("tap:viftap");
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().number(), EBUSY);
  EXPECT_NE(busy.error().text.find("another program"), std::string::npos) << busy.error().text;
  NetNamespace::ip("link add vifeth type veth peer name vifpeer");
  const auto other = try_open("tap:vifeth");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().number(), EINVAL);
  EXPECT_NE(other.error().text.find("no TAP"), std::string::npos) << other.error().text;
  EXPECT_TRUE(exists("vifeth"));
}

TEST_F(TapLife, follows_the_host_up_and_down) {
  open("tap:viftap");
  ASSERT_TRUE(tap.start());
  tap.drain_all();
  EXPECT_EQ(state(), net::LinkState::down);
  EXPECT_NE(why().find("ip link set viftap up"), std::string::npos) << why();
  after("link set viftap up");
  EXPECT_EQ(state(), net::LinkState::up);
  after("link set viftap carrier off");
  EXPECT_EQ(state(), net::LinkState::down);
  EXPECT_NE(why().find("carrier on"), std::string::npos) << why();
  after("link set viftap carrier on");
  EXPECT_EQ(state(), net::LinkState::up);
  after("link set viftap down");
  EXPECT_EQ(state(), net::LinkState::down);
  EXPECT_EQ(tap.send(to_us().bytes).status, drv::SendStatus::network_down);
  after("link set viftap up");
  EXPECT_EQ(state(), net::LinkState::up);
  EXPECT_EQ(tap.send(to_us().bytes).taken, 1U);
}

TEST_F(TapLife, shows_the_host_whether_we_are_up) {
  open("tap:viftap");
  NetNamespace::ip("link set viftap up");
  EXPECT_TRUE(shows("viftap", "NO-CARRIER"));
  ASSERT_TRUE(tap.start());
  EXPECT_TRUE(shows("viftap", "LOWER_UP"));
  tap.stop();
  EXPECT_TRUE(shows("viftap", "NO-CARRIER"));
}

TEST_F(TapLife, follows_the_hosts_mtu_and_address_and_name) {
  for (const char* options : {"", ",offload=off"}) {
    up(options);
    tap.sink.caps.clear();
    after("link set viftap mtu 9000");
    ASSERT_EQ(tap.sink.caps.size(), 1U);
    EXPECT_EQ(tap.sink.caps.back().mtu_bytes, 9000U);
    after("link set viftap address 02:00:00:00:00:77");
    EXPECT_EQ(tap.sink.caps.size(), 2U) << "the far side is another";
    EXPECT_FALSE(tap.sink.caps.back().lladdr);
    after("link set viftap name vifnew");
    EXPECT_EQ(tap.sink.caps.size(), 2U);
    after("link set vifnew down");
    EXPECT_NE(why().find("vifnew"), std::string::npos) << why();
    after("link set vifnew up");
    far.emplace("vifnew");
    tap.sink.frames.clear();
    from_host(many_to_us(80, 9014));
    settle();
    EXPECT_TRUE(tap.sink.frames == many_to_us(80, 9014));
    close();
  }
}

TEST_F(TapLife, is_down_for_good_when_removed_and_does_not_spin) {
  for (const char* options : {"", ",offload=off"}) {
    up(options);
    after("link del viftap");
    EXPECT_EQ(state(), net::LinkState::down);
    EXPECT_NE(why().find("removed"), std::string::npos) << why();
    EXPECT_EQ(tap.sink.why->number(), ENODEV);
    EXPECT_FALSE(settle()) << "there is nothing more to be told";
    EXPECT_FALSE(tap.drain(64));
    const drv::SendResult sent = tap.send({to_us(), to_us(), to_us(), to_us()});
    EXPECT_EQ(sent.taken, 0U);
    EXPECT_EQ(sent.status, drv::SendStatus::network_down);
    tap.stop();
    ASSERT_TRUE(tap.start()) << "the interface is as it is";
    EXPECT_FALSE(settle());
    close();
    open("tap:viftap");
    EXPECT_TRUE(exists("viftap")) << "linked again it is another TAP";
    close();
  }
}

TEST_F(TapLife, says_that_it_was_moved_to_another_namespace) {
  up();
  NetNamespace other;
  network.enter();
  after("link set viftap netns " + other.path());
  EXPECT_EQ(state(), net::LinkState::down);
  EXPECT_NE(why().find("another network namespace"), std::string::npos) << why();
}

// Frames that came while nobody listened are old when somebody does.
TEST_F(TapLife, counts_what_comes_while_stopped) {
  up();
  from_host(many_to_us(5));
  tap.stop();
  EXPECT_EQ(lost(DropReason::not_running), 5U);
  ASSERT_TRUE(tap.start());
  tap.drain_all();
  EXPECT_TRUE(tap.sink.frames.empty());
  from_host({to_us()});
  settle();
  EXPECT_EQ(tap.sink.frames.size(), 1U);
}

}  // namespace
