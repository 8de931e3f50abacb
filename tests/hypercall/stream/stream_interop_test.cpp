// SPDX-License-Identifier: BSD-2-Clause
// Other people's programs at the other end: passt, QEMU and vde_plug, as Debian packages them. Those that are not
// installed are skipped. Everything happens in a network namespace of the test's own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <memory>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/stream/child_process.hpp"
#include "tests/hypercall/stream/small_ip.hpp"
#include "tests/hypercall/stream/stream_rig.hpp"
#include "tests/support/net_namespace.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class Interop : public testing::Test {
 protected:
  // An interface, and all that it has passed up.
  struct Host final : net::IfInput {
    explicit Host(net::Ifnet& ifp_in) : ifp(ifp_in) { ifp.set_input(this); }
    void input(net::Ifnet&, net::MbufPtr packet) override { got.push_back(flat(*packet)); }
    net::Ifnet& ifp;
    std::vector<Frame> got;
  };

  std::unique_ptr<Host> running(const std::string& linkstr) {
    auto made = std::make_unique<Host>(**interfaces.create("virt"));
    const Status linked = made->ifp.ioctl(net::SetLinkstr{linkstr});
    EXPECT_TRUE(linked) << linked.error().text;
    EXPECT_TRUE(made->ifp.ioctl(net::SetFlags{made->ifp.flags() | net::IFF_UP}));
    return made;
  }
  void send(Host& from, const Frame& frame) { EXPECT_TRUE(from.ifp.transmit(loop->domain().pool().copy_in(frame))); }
  // Lets the loop work until `done`; false: it was not within ten seconds.
  template <class Done>
  bool wait_until(Done done) {
    const Time end = clock.now() + std::chrono::seconds(10);
    for (pollfd waited{loop->fd(), POLLIN, 0}; !done() && clock.now() < end;) {
      ::poll(&waited, 1, 10);
      loop->poll(64);
    }
    return done();
  }
  bool wait_for_carrier(const Host& host) {
    return wait_until([&] { return host.ifp.link_state() == net::LinkState::up; });
  }
  // The next frame that `read` finds something in, which is the result.
  template <class Read>
  Frame wait_for(Host& host, Read read) {
    Frame found;
    wait_until([&] {
      for (const Frame& frame : std::exchange(host.got, {})) {
        const Bytes seen = read(Bytes(frame));
        if (!seen.empty()) found.assign(seen.begin(), seen.end());
      }
      return !found.empty();
    });
    return found;
  }
  // Each end's broadcast arrives at all others, unchanged.
  void expect_all_to_hear_each_other(const std::vector<Host*>& hosts) {
    for (Host* const from : hosts) {
      for (Host* const host : hosts) host->got.clear();
      std::vector<Frame> sent;
      for (const std::size_t bytes : {60UL, 200UL, 1514UL}) {
        sent.push_back(ether(net::kBroadcast, 0x88b5, counting(bytes - 14), from->ifp.lladdr()));
        send(*from, sent.back());
      }
      for (Host* const host : hosts) {
        if (host == from) continue;
        EXPECT_TRUE(wait_until([&] { return host->got.size() >= sent.size(); })) << host->ifp.name();
        EXPECT_EQ(host->got, sent) << host->ifp.name();
      }
    }
  }

  NetNamespace network;
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  TempFolder folder;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(*loop);
};

// --- passt: the world behind the host's own sockets ---

constexpr std::uint32_t kOurAddress = 0xc0000202, kGateway = 0xc0000201;  // 192.0.2.2 and .1 (RFC 5737)

class Passt : public Interop {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(network);
    if (!ChildProcess::installed("passt")) GTEST_SKIP() << "no passt; apt-get install passt";
    network.ip("link add vifa address 02:00:00:00:00:01 type veth peer name vifb");
    network.ip("addr add 192.0.2.2/24 dev vifa");
    network.ip("link set vifa up");
    network.ip("link set vifb up");
    network.ip("route add default via 192.0.2.1 dev vifa");
  }
  std::vector<std::string> passt(const std::string& option, const std::string& value) const {
    return {"passt", "--foreground", "--stderr", "--ipv4-only", "--dns", "192.0.2.53", option, value};
  }
  // Its address for whatever is not us.
  net::MacAddress resolve(Host& host) {
    send(host, arp_who_has(host.ifp.lladdr(), kOurAddress, kGateway));
    const Frame reply = wait_for(host, [](Bytes frame) {
      const bool is_reply = frame.size() >= 42 && load_be16(&frame[12]) == 0x0806 && load_be16(&frame[20]) == 2 &&
                            load_be32(&frame[28]) == kGateway;
      return is_reply ? frame.subspan(22, net::kMacBytes) : Bytes();
    });
    EXPECT_EQ(reply.size(), net::kMacBytes) << "no answer to ARP";
    return reply.empty() ? net::MacAddress{} : net::MacAddress::load(reply.data());
  }
  // A socket of the host's own, on its loopback, and the flow that leads there.
  host::UniqueFd server(int type, Flow& flow) {
    host::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(fd.get(), 1), 0);
    }
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &bytes);
    flow.to_port = ntohs(address.sin_port);
    return fd;
  }
  bool readable(const host::UniqueFd& fd) {
    return wait_until([&] {
      pollfd waited{fd.get(), POLLIN, 0};
      return ::poll(&waited, 1, 0) == 1;
    });
  }
  void expect_dhcp(Host& host) {
    for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}}) {
      send(host, dhcp(host.ifp.lladdr(), type, type == 3 ? kOurAddress : 0));
      const Frame reply = wait_for(host, [](Bytes frame) { return segment_of(frame, kUdp, 67, 68); });
      ASSERT_GT(reply.size(), 8U + 240U) << "no answer to DHCP";
      EXPECT_EQ(load_be32(&reply[8 + 16]), kOurAddress) << "yiaddr";
      const Bytes options = Bytes(reply).subspan(8 + 240);
      const auto has = [&](const Frame& option) {
        return std::search(options.begin(), options.end(), option.begin(), option.end()) != options.end();
      };
      EXPECT_TRUE(has(type == 1 ? hex("35 01 02") : hex("35 01 05"))) << "DHCPOFFER, then DHCPACK";
      EXPECT_TRUE(has(hex("03 04 c0000201"))) << "the router";
    }
  }
  void expect_udp(Host& host, Flow flow) {
    const host::UniqueFd fd = server(SOCK_DGRAM, flow);
    send(host, udp(flow, text_bytes("ping")));
    ASSERT_TRUE(readable(fd));
    char text[16] = {};
    sockaddr_in from{};
    socklen_t bytes = sizeof from;
    EXPECT_EQ(::recvfrom(fd.get(), text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from), &bytes), 4);
    EXPECT_STREQ(text, "ping");
    EXPECT_EQ(::sendto(fd.get(), "pong!", 5, 0, reinterpret_cast<const sockaddr*>(&from), bytes), 5);
    const Frame reply =
        wait_for(host, [&](Bytes frame) { return segment_of(frame, kUdp, flow.to_port, flow.from_port); });
    EXPECT_EQ(reply, (reply.empty() ? Frame() : Frame(reply.begin(), reply.begin() + 8) + text_bytes("pong!")));
    EXPECT_FALSE(reply.empty());
  }
  void expect_tcp(Host& host, Flow flow) {
    const host::UniqueFd listener = server(SOCK_STREAM, flow);
    const auto from_server = [&](Bytes frame) { return segment_of(frame, kTcp, flow.to_port, flow.from_port); };
    constexpr std::uint32_t kFirst = 1000;
    send(host, tcp(flow, TcpFlags::kSyn, kFirst, 0));
    const Frame accepted = wait_for(host, from_server);
    ASSERT_GE(accepted.size(), 20U) << "no answer to SYN";
    EXPECT_EQ(load_be32(&accepted[8]), kFirst + 1);
    const std::uint32_t theirs = load_be32(&accepted[4]) + 1;
    ASSERT_TRUE(readable(listener));
    const host::UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    send(host, tcp(flow, TcpFlags::kAck, kFirst + 1, theirs));
    send(host, tcp(flow, TcpFlags::kAck | TcpFlags::kPush, kFirst + 1, theirs, text_bytes("GET")));
    ASSERT_TRUE(readable(fd));
    char text[16] = {};
    EXPECT_EQ(::recv(fd.get(), text, sizeof text, 0), 3);
    EXPECT_STREQ(text, "GET");
    EXPECT_EQ(::send(fd.get(), "HELLO", 5, 0), 5);
    const Frame answer = wait_for(host, [&](Bytes frame) {
      const Bytes segment = from_server(frame);
      return segment.size() > 20 ? segment : Bytes();
    });
    ASSERT_GE(answer.size(), 25U);
    EXPECT_EQ(Frame(answer.end() - 5, answer.end()), text_bytes("HELLO"));
  }
  void expect_a_network(Host& host) {
    const net::MacAddress gateway_mac = resolve(host);
    expect_dhcp(host);
    const Flow flow{host.ifp.lladdr(), gateway_mac, kOurAddress, kGateway, 40'000, 0};
    expect_udp(host, flow);
    expect_tcp(host, flow);
  }
};

TEST_F(Passt, is_a_network_for_whoever_connects) {
  const std::string path = folder / "passt.sock";
  const auto host = running("stream:" + path + ",reconnect");
  EXPECT_EQ(host->ifp.link_state(), net::LinkState::down) << "it is not there yet";
  ChildProcess child(passt("--socket", path), folder / "passt.log");
  ASSERT_TRUE(wait_for_carrier(*host)) << child.log();
  expect_a_network(*host);
  child.end();
  EXPECT_TRUE(wait_until([&] { return host->ifp.link_state() == net::LinkState::down; }));
  const ChildProcess again(passt("--socket", path), folder / "again.log");
  ASSERT_TRUE(wait_for_carrier(*host)) << again.log();
  resolve(*host);
}

TEST_F(Passt, is_a_network_for_a_pair_of_sockets) {
  PeerPair pair = PeerPair::make();
  const ChildProcess child(passt("--fd", "9"), folder / "passt.log", {pair.theirs.fd(), 9});
  pair.theirs.hang_up();
  const auto host = running("stream:fd=" + std::to_string(pair.ours.release()));
  expect_a_network(*host);
}

// --- QEMU: its hub, with three kinds of netdev, and no machine ---

TEST_F(Interop, qemu_joins_streams_and_datagrams) {
  VIF_NEEDS_NAMESPACE(network);
  if (!ChildProcess::installed("qemu-system-x86_64")) {
    GTEST_SKIP() << "no qemu-system-x86_64; apt-get install --no-install-recommends qemu-system-x86";
  }
  const std::string served = folder / "served.sock", asked = folder / "asked.sock";
  const std::string theirs = folder / "theirs.sock", ours = folder / "ours.sock";
  const auto asking = running("stream:" + asked + ",listen");
  std::vector<std::string> words = {"qemu-system-x86_64", "-M", "none", "-nodefaults", "-display", "none"};
  const std::string netdevs[] = {
      "stream,id=n0,server=on,addr.type=unix,addr.path=" + served,
      "stream,id=n1,server=off,addr.type=unix,addr.path=" + asked,
      "dgram,id=n2,local.type=unix,local.path=" + theirs + ",remote.type=unix,remote.path=" + ours};
  for (std::size_t i = 0; i < std::size(netdevs); ++i) {
    const std::string n = std::to_string(i);
    words.insert(words.end(), {"-netdev", netdevs[i], "-netdev", "hubport,hubid=0,id=h" + n + ",netdev=n" + n});
  }
  const ChildProcess child(words, folder / "qemu.log");
  const auto serving = running("stream:" + served + ",reconnect");
  const auto datagrams = running("stream:" + theirs + ",framing=dgram,reconnect,local=" + ours);
  for (const Host* const host : {asking.get(), serving.get(), datagrams.get()}) {
    ASSERT_TRUE(wait_for_carrier(*host)) << host->ifp.name() << ": " << child.log();
  }
  expect_all_to_hear_each_other({asking.get(), serving.get(), datagrams.get()});
}

// --- VDE: its plugs, at a switch ---

TEST_F(Interop, vde_plugs_lead_to_a_switch) {
  VIF_NEEDS_NAMESPACE(network);
  if (!ChildProcess::installed("vde_plug") || !ChildProcess::installed("vde_switch")) {
    GTEST_SKIP() << "no vde_plug; apt-get install vde2";
  }
  const std::string where = folder / "switch";
  const PeerPair console = PeerPair::make();  // it ends with its standard input
  const ChildProcess vde_switch({"vde_switch", "--hub", "--sock", where}, folder / "switch.log",
                                {console.theirs.fd(), 0});
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(where + "/ctl"); })) << vde_switch.log();
  std::vector<std::unique_ptr<ChildProcess>> plugs;
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<Host*> all;
  for (const char* log : {"a.log", "b.log"}) {
    PeerPair pair = PeerPair::make();
    plugs.push_back(std::make_unique<ChildProcess>(std::vector<std::string>{"vde_plug", where}, folder / log,
                                                   Inherited{pair.theirs.fd(), 0}));
    hosts.push_back(running("stream:fd=" + std::to_string(pair.ours.release()) + ",framing=vde"));
    all.push_back(hosts.back().get());
  }
  // A plug tells nobody when it has reached its switch: until then frames go nowhere.
  EXPECT_TRUE(wait_until([&] {
    send(*all[0], ether(net::kBroadcast, 0x88b6, counting(46), all[0]->ifp.lladdr()));
    return !all[1]->got.empty();
  }));
  wait_until([&, rounds = 0]() mutable { return ++rounds > 20; });
  expect_all_to_hear_each_other(all);
}

}  // namespace
