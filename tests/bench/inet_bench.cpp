// SPDX-License-Identifier: BSD-2-Clause
// What the in-tree IP stack costs: a frame in and a frame out of it, above a backend that does nothing; how long a
// chain of 255 routers takes from nothing to its first echo; and a ping through a TAP beside the bare calls.
// inet_bench [rounds]: the last part in a network namespace of its own; needs root. Build with --buildtype=release.
#include "hypercall/sim/sim_host.hpp"
#include "tests/bench/tap_echo.hpp"
#include "tests/netstack/inet/packets.hpp"
#include "tests/support/inet_node.hpp"
#include "virtif/virtif.hpp"

namespace {

using namespace vif;
using namespace vif::bench;
using namespace vif::net::inet;

// What costs exactly as much as is allowed, so that a ratio of 1 is the bar.
Variant limit(const std::string& name, double ns) {
  return {name, [ns] { return ns; }};
}

// --- a frame in, a frame out ---

// Gives the same frame over and over, and takes whatever comes.
class Feed final : public drv::LinkPort {
 public:
  Status start(drv::LinkSink& sink) override {
    sink_ = &sink;
    return {};
  }
  void stop() override {}
  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    taken += frames.size();
    return {frames.size(), drv::SendStatus::ok};
  }
  bool drain(std::size_t budget) override {
    const std::size_t now = std::min({budget, to_come, burst_.size()});
    std::fill_n(burst_.begin(), now, drv::RxFrame{.bytes = frame});
    to_come -= now;
    sink_->deliver(std::span(burst_).first(now));
    return to_come > 0;
  }
  void set_receive_filter(const drv::ReceiveFilter&) override {}
  void give(std::size_t frames) {
    to_come = frames;
    sink_->ready();
  }

  std::vector<std::byte> frame;
  std::size_t to_come = 0, taken = 0;

 private:
  drv::LinkSink* sink_ = nullptr;
  std::array<drv::RxFrame, 32> burst_;
};

class FeedOpener final : public drv::LinkOpener {
 public:
  Result<drv::OpenLink> open(const drv::Linkstr&, const drv::LinkOwner&) override {
    auto port = std::make_unique<Feed>();
    feed = port.get();
    return drv::OpenLink{.port = std::move(port), .caps = {.frame_bytes_max = 1514, .slices_max = 32}};
  }
  Feed* feed = nullptr;
};

class EchoHost {
 public:
  explicit EchoHost() {
    net::Ifnet& ifp = virt_->ifnet();
    domain_.publish(ifp);
    must(ifp.ioctl(net::SetLladdr{test::kOurMac}));
    must(ifp.ioctl(net::SetLinkstr{"feed:"}));
    must(inet_.attach(ifp));
    must(inet_.add_address(ifp, {kOurs, 24}, Claim::at_once));
    must(inet_.add_neighbour(ifp, kTheirs, test::kPeerMac));
    socket_ = std::move(*inet_.open_udp({.port = 7}));
    socket_->on_readable([this] {
      while (auto datagram = socket_->receive()) {
        (void)socket_->send_to(std::move(datagram->payload), {.address = datagram->from, .port = datagram->from_port});
      }
    });
    host_.run_until(std::chrono::seconds(10));
  }

  // ns a frame, of one that comes and one that answers it.
  double answer(const test::Frame& frame) {
    constexpr std::size_t kFrames = 200'000;
    opener_.feed->frame = frame;
    opener_.feed->taken = 0;
    opener_.feed->give(kFrames);
    const double begun = now_ns();
    while (domain_.poll(host_.clock.now(), 64)) continue;
    const double took = now_ns() - begun;
    if (opener_.feed->taken != kFrames) give_up("some frames were not answered");
    return took / (2 * kFrames);
  }
  static test::Frame ping(std::size_t frame_bytes) {
    return test::ether(test::kOurMac, 0x0800,
                       test::ip4(kTheirs, kOurs, test::icmp(8, 0, 1, test::counting(frame_bytes - 42))));
  }
  static test::Frame datagram(std::size_t frame_bytes) {
    return test::ether(
        test::kOurMac, 0x0800,
        test::ip4(kTheirs, kOurs, test::udp(kTheirs, 9, kOurs, 7, test::counting(frame_bytes - 42)), {.protocol = 17}));
  }

 private:
  static constexpr IpAddress kOurs = IpAddress::v4(192, 0, 2, 1), kTheirs = IpAddress::v4(192, 0, 2, 2);
  host::sim::SimHost host_{1};
  net::Domain& domain_ = host_.add_domain();
  FeedOpener opener_;
  std::unique_ptr<drv::Virtif> virt_ = std::move(*drv::Virtif::create(domain_, opener_, "virt", 0));
  Inet inet_{domain_, {.ip6 = false}};
  std::unique_ptr<UdpSocket> socket_;
};

void measure_answers(int rounds) {
  EchoHost host;
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{1514}}) {
    const std::string size = std::to_string(bytes) + " B";
    Comparison("inet: ping answered, per frame, " + size,
               {{"ours", [&] { return host.answer(EchoHost::ping(bytes)); }}, limit("300 ns", 300)}, {{"300 ns", 1}})
        .run(rounds);
    Comparison("inet: UDP echo, per frame, " + size,
               {{"ours", [&] { return host.answer(EchoHost::datagram(bytes)); }}, limit("300 ns", 300)},
               {{"300 ns", 1}})
        .run(rounds);
  }
}

// --- the chain of rump's book ---

struct HeardEcho final : EchoListener {
  void echo_replied(const EchoReply&) override { heard = true; }
  bool heard = false;
};

double first_echo_through(int nodes) {
  const double begun = now_ns();
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  const auto loop = *host::Loop::create(clock, random, {});
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(*loop);
  test::RouterChain chain;
  must(chain.build(nodes, [&](int) -> net::IfCloneTable& { return interfaces; }));
  HeardEcho echo;
  chain.first().listen(echo);
  must(chain.first().ping({.to = chain.last_address(), .hops = 255}));
  while (!echo.heard) {
    loop->poll(64);
    if (now_ns() - begun > 5e9) give_up("no echo came through the chain");
  }
  const double took = now_ns() - begun;
  chain.first().unlisten(echo);
  return took;
}

void measure_chain(int rounds) {
  Comparison("inet: a chain of 255 routers, from nothing to its first echo",
             {{"ours", [] { return first_echo_through(255); }},
              limit("0.5 s", 0.5e9),
              limit("1.15 s, recorded of rump", 1.15e9)},
             {{"0.5 s", 1}, {"1.15 s, recorded of rump", 0}})
      .run(rounds);
}

// --- a ping through a TAP ---

void measure_pings(int rounds) {
  if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  std::system("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  make_echo_tap();
  const Answer own = [](auto& ready, auto& over) { answer_with_stack(ready, over, true); };
  const Answer polled = [](auto& ready, auto& over) { answer_with_stack(ready, over, false); };
  const auto compare = [&](const std::string& what, double pause_ns, double (*of)(std::vector<double>)) {
    Comparison("inet: ping through a TAP, " + what,
               {{"ours", [=] { return of(round_trips(own, pause_ns)); }},
                {"ours in a poll loop", [=] { return of(round_trips(polled, pause_ns)); }},
                {"poll, read, write", [=] { return of(round_trips(answer_bare, pause_ns)); }}},
               {{"poll, read, write", 1 / 1.3}, {"ours in a poll loop", 0}})
        .run(rounds);
  };
  const auto least = [](std::vector<double> all) { return *std::min_element(all.begin(), all.end()); };
  constexpr double kPauseNs = 100'000;  // longer than the library's loop looks before it sleeps
  compare("one after the other, median round trip", 0, median);
  compare("one after the other, shortest round trip", 0, least);
  compare("to a sleeper, median round trip", kPauseNs, median);
  compare("to a sleeper, shortest round trip", kPauseNs, least);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  begin();
  print_calibration();
  measure_answers(rounds);
  measure_chain(rounds);
  measure_pings(rounds);
}
