// SPDX-License-Identifier: BSD-2-Clause
// Two runs of the same busy network are the same to the byte: what every interface sent and received, with its times,
// as the pcapng file that a user would compare.
#include "netstack/inet/dhcp_client.hpp"
#include "tests/hypercall/inet/inet_network.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;
using namespace net::inet;

// Everything of all interfaces into one file, stamped by the domain's clock.
class Recorder final : public net::BpfSink {
 public:
  Recorder(host::sim::SimFiles& files, const std::string& path)
      : sink_(*files.create_sink(path)), writer_(*sink_, net::CaptureFormat::pcapng) {}
  void record(net::Ifnet& ifp) {
    ASSERT_TRUE(writer_.add_interface(ifp.name(), net::kLinkTypeEthernet));
    ifp.taps.attach(*this, {}, net::BpfDirections::both);
    domain_ = &ifp.domain();
  }
  void tap(const net::Mbuf& packet, net::BpfDirection, std::uint32_t) noexcept override {
    const Frame bytes = flat(packet);
    EXPECT_TRUE(writer_.write({.bytes = bytes,
                               .wire_bytes = static_cast<std::uint32_t>(bytes.size()),
                               .link_type = net::kLinkTypeEthernet,
                               .timestamp_ns = domain_->now().count(),
                               .has_time = true}));
  }
  void finish() { EXPECT_TRUE(writer_.flush()); }

 private:
  std::unique_ptr<ByteSink> sink_;
  net::CaptureWriter writer_;
  net::Domain* domain_ = nullptr;
};

struct NoLease final : DhcpListener {
  void lease_changed(net::Ifnet&, const DhcpLease*) override { FAIL() << "there is no server"; }
};

// Four hosts, one a router, on an impaired segment: pings of all sizes, datagrams that are echoed, groups that come and
// go, a DHCP client that asks in vain, a host that is not there.
std::vector<std::byte> run_once(std::uint64_t seed) {
  constexpr std::size_t kHosts = 4;
  host::sim::SimHost host(seed);
  host::sim::SimFiles files;
  host::Instance instance{{host.clock, files}};
  net::IfCloneTable& interfaces = instance.attach(host.add_domain());
  Recorder recorder(files, "all.pcapng");
  std::vector<std::unique_ptr<InetNode>> nodes;
  std::vector<net::Ifnet*> ifps;
  std::vector<std::unique_ptr<UdpSocket>> sockets;
  EchoCount count;
  for (std::size_t i = 0; i < kHosts; ++i) {
    nodes.push_back(std::make_unique<InetNode>(interfaces, InetConfig{.forwarding = i == 0}));
    ifps.push_back(*nodes[i]->link("impair:[mem:lan],loss=2%,dup=2%,reorder=5%,corrupt=1%,delay=2ms,jitter=1ms"));
    recorder.record(*ifps[i]);
    Inet& inet = nodes[i]->inet;
    EXPECT_TRUE(
        inet.add_address(*ifps[i], {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i + 1)), 24}, Claim::probe));
    inet.listen(count);
    sockets.push_back(*inet.open_udp({.port = 7}));
    // Sent back and forth, until its hops are used up.
    sockets[i]->on_readable([socket = sockets[i].get()] {
      while (auto datagram = socket->receive()) {
        const auto hops = static_cast<std::uint8_t>(datagram->hops - 1);
        if (hops > 0)
          (void)socket->send_to(std::move(datagram->payload), {.address = datagram->from, .port = 7, .hops = hops});
      }
    });
  }
  NoLease listener;
  std::optional<DhcpClient> dhcp(std::in_place, nodes[3]->inet, *ifps[3], listener);
  EXPECT_TRUE(dhcp->start());
  host.run_until(host.clock.now() + 10s);
  host::sim::SimRandom traffic(99);  // the same in every run
  for (std::uint16_t step = 0; step < 400; ++step) {
    const std::size_t from = traffic.next() % kHosts;
    const auto to = static_cast<std::uint8_t>(1 + traffic.next() % (kHosts + 1));  // 10.0.0.5 is not there
    Inet& inet = nodes[from]->inet;
    const Frame payload = counting(traffic.next() % 5000);
    (void)inet.ping({.to = IpAddress::v4(10, 0, 0, to), .sequence = step, .payload = payload});
    (void)inet.ping({.to = kAllNodes6, .sequence = step, .payload = counting(40), .via = ifps[from]});
    (void)sockets[from]->send_to(counting(traffic.next() % 2000),
                                 {.address = IpAddress::v4(10, 0, 0, to), .port = 7, .hops = 20});
    const IpAddress group = IpAddress::v4(239, 0, 0, static_cast<std::uint8_t>(traffic.next() % 8));
    if (!inet.leave(*ifps[from], group)) {
      EXPECT_TRUE(inet.join(*ifps[from], group));
    }
    host.run_until(host.clock.now() + Time(traffic.next() % 100'000'000));
  }
  EXPECT_GT(count.replies, 500U);
  host.run_until(host.clock.now() + 2min);
  recorder.finish();
  dhcp.reset();
  sockets.clear();
  nodes.clear();
  return files.file("all.pcapng").bytes;
}

TEST(InetRepeat, two_runs_write_the_same_capture) {
  const std::vector<std::byte> once = run_once(7);
  EXPECT_GT(once.size(), 1'000'000U);
  EXPECT_TRUE(once == run_once(7));
  EXPECT_FALSE(once == run_once(8)) << "it is chance that it depends on";
}

}  // namespace
}  // namespace vif::test
