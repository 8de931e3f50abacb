// SPDX-License-Identifier: BSD-2-Clause
// uring: and pcapdev: on a veth pair, beside the bare calls they stand on, libpcap's own loops, tcpreplay and testpmd.
// uring_bench [rounds]: in a network namespace of its own. Sending includes what the peer's end does with a frame.
// Receiving is draining: frames come first, and only the drain is timed.
#include <sched.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "hypercall/pcapdev/pcapdev_link.hpp"
#include "hypercall/uring/uring_link.hpp"
#include "tests/bench/bare_loops.hpp"
#include "tests/bench/testpmd.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

struct Counting final : drv::LinkSink {
  void deliver(std::span<const drv::RxFrame> burst) override {
    for (const drv::RxFrame& frame : burst) asm volatile("" ::"r"(*frame.bytes.data()) : "memory");
    frames += burst.size();
  }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t n) override { losses += n; }
  std::size_t frames = 0;
  std::uint64_t losses = 0;
};

// One of our links, open for one variant's run.
class Ours {
 public:
  explicit Ours(const std::string& linkstr) {
    const auto parsed = *drv::Linkstr::parse(linkstr);
    const std::string ifname = "virt0";
    const drv::LinkOwner owner{ifname, mac_, loop_->domain()};
    auto opened = parsed.scheme == "uring" ? host::open_uring_link(parsed, owner, loop_->watch())
                                           : host::open_pcapdev_link(parsed, owner, loop_->watch());
    if (!opened) give_up(opened.error().text);
    port_ = std::move(opened->port);
    if (!port_->start(sink_)) give_up("start");
  }
  ~Ours() { port_->stop(); }

  double send(const Frame& frame) {
    const Bytes slice = frame;
    std::array<drv::TxFrame, kBurst> burst;
    burst.fill({{&slice, 1}, static_cast<std::uint32_t>(frame.size()), {}});
    const double begun = now_ns();
    for (std::size_t sent = 0; sent < kSent; sent += kBurst) {
      if (port_->send(burst).taken != kBurst) give_up("send");
    }
    return (now_ns() - begun) / kSent;
  }
  double drain() {
    const double begun = now_ns();
    while (port_->drain(kBurst)) continue;
    const double ns = now_ns() - begun;
    if (sink_.frames < kFilled / 2) give_up("too few came: " + std::to_string(sink_.frames));
    return ns / static_cast<double>(sink_.frames);
  }

 private:
  host::LinuxClock clock_;
  host::LinuxRandom random_;
  std::unique_ptr<host::Loop> loop_ = std::move(*host::Loop::create(clock_, random_, {}));
  net::MacAddress mac_{{2, 0, 0, 0, 0, 0xa}};
  Counting sink_;
  std::unique_ptr<drv::LinkPort> port_;
};

void measure(std::size_t bytes, int rounds) {
  const Frame frame = frame_of(bytes);
  const std::string size = std::to_string(bytes) + " B";
  const int out = packet_socket("vifa", 0), peer = packet_socket("vifb", 0);
  const auto drained = [=](const char* linkstr) {
    Ours ours(linkstr);
    send_mmsg(peer, frame, kFilled);
    ::usleep(20'000);
    return ours.drain();
  };
  std::vector<Variant> sends = {{"uring:", [=] { return Ours("uring:vifa,ring=1").send(frame); }},
                                {"sendmmsg", [=] { return send_mmsg(out, frame, kSent); }},
                                {"io_uring SEND", [=] { return send_ring(out, frame); }}};
  std::vector<Bar> bars = {{"sendmmsg", 0.95}, {"io_uring SEND", 0}};
  if (installed("tcpreplay")) {
    sends.push_back({"tcpreplay -K", [=] { return tcpreplay(frame); }});
    bars.push_back({"tcpreplay -K", bytes == 64 ? 1.2 : 1.3});
  } else {
    leave_out("tcpreplay", not_installed("tcpreplay"));
  }
  if (installed(kTestpmd)) {
    sends.push_back({"testpmd, net_af_packet", [=] { return testpmd_sends("net_af_packet0,iface=vifa", bytes); }});
    bars.push_back({"testpmd, net_af_packet", 0});
  } else {
    leave_out("testpmd, net_af_packet", not_installed("dpdk"));
  }
  Comparison("uring: send " + size, sends, bars).run(rounds);
  Comparison("uring: drain " + size,
             {{"uring:", [=] { return drained("uring:vifa"); }},
              {"recv() loop",
               [=] {
                 const int fd = packet_socket("vifa", ETH_P_ALL);
                 send_mmsg(peer, frame, kFilled);
                 return recv_loop(fd);
               }},
              {"TPACKET_V3 in place", [=] { return ring_in_place(peer, frame); }},
              {"uring:,latency=low", [=] { return drained("uring:vifa,latency=low"); }}},
             {{"recv() loop", 20}, {"TPACKET_V3 in place", 0}})
      .run(rounds);
  Comparison("pcapdev: drain " + size,
             {{"pcapdev:", [=] { return drained("pcapdev:vifa"); }},
              {"pcap_dispatch", [=] { return bare_dispatch(peer, frame); }}},
             {{"pcap_dispatch", 0.9}})
      .run(rounds);
  Comparison("pcapdev: send " + size,
             {{"pcapdev:", [=] { return Ours("pcapdev:vifa").send(frame); }},
              {"pcap_inject", [=] { return bare_inject(frame); }}},
             {{"pcap_inject", 0.9}})
      .run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  if (::unshare(CLONE_NEWNET) != 0) skip("no network namespace: run as root, or under unshare -Ur");
  if (std::system("ip link add vifa address 02:00:00:00:00:0a type veth peer name vifb"
                  " && ip link set vifa addrgenmode none && ip link set vifb addrgenmode none"
                  " && ip link set vifa up && ip link set vifb up") != 0) {
    skip("no veth pair");
  }
  begin();
  print_calibration();
  for (const std::size_t bytes : {64UL, 1514UL}) measure(bytes, rounds);
}
